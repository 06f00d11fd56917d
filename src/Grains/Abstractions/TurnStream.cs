using System.Runtime.CompilerServices;
using System.Threading.Channels;
using LServe.Contracts;

namespace LServe.Grains;

/// <summary>
/// One reader's end of a turn that runs in a grain. Orleans forgets an enumeration that nobody advances for a while, and reads ahead of
/// one that somebody does; so events are fetched as they come into a buffer, and a reader who leaves says how many of them it took.
/// </summary>
internal sealed class TurnStream
{
    /// <summary>Times: most that a broken stream is resumed before any further event has come.</summary>
    private const int MaxResumes = 3;

    /// <summary>Events: most that wait for the reader. The turn of a reader who lets more wait, and for long, is taken for abandoned.</summary>
    private const int MaxBuffered = 1 << 17;

    private readonly ISessionGrain _grain;
    private readonly TurnRequest _request;
    private readonly string _turnId;
    private readonly Channel<TurnEvent> _arrived = Channel.CreateBounded<TurnEvent>(
        new BoundedChannelOptions(MaxBuffered) { SingleReader = true, SingleWriter = true });
    private readonly CancellationTokenSource _leaving = new();
    private readonly ReplayFilter _filter = new();

    /// <param name="request">Gets a turn id if it has none, so that its stream can be resumed.</param>
    public TurnStream(ISessionGrain grain, TurnRequest request)
    {
        _turnId = request.TurnId ?? Guid.NewGuid().ToString("N");
        (_grain, _request) = (grain, request with { TurnId = _turnId });
    }

    public async IAsyncEnumerable<TurnEvent> ReadAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        var fetching = FetchAsync();
        var taken = 0;
        try
        {
            while (await _arrived.Reader.WaitToReadAsync(cancellation).ConfigureAwait(false))
            {
                cancellation.ThrowIfCancellationRequested();
                if (!_arrived.Reader.TryRead(out var next)) continue;
                taken++;
                yield return next;
            }
        }
        finally
        {
            await LeaveAsync(fetching, taken).ConfigureAwait(false);
        }
    }

    private async Task FetchAsync()
    {
        var events = _grain.SendAsync(_request, _leaving.Token);
        for (var resumes = 0; ; resumes++)
        {
            var before = _filter.Passed;
            try
            {
                await PassOnAsync(events).ConfigureAwait(false);
                _arrived.Writer.Complete();
                return;
            }
            catch (Exception failure)
            {
                if (_filter.Passed > before) resumes = 0;
                if (_leaving.IsCancellationRequested || !ClusterFailures.IsOfTheCluster(failure) || resumes >= MaxResumes)
                {
                    _arrived.Writer.Complete(failure as LServeException ?? ClusterFailures.Translate(failure));
                    return;
                }
            }
            events = _grain.ResumeAsync(_turnId, _leaving.Token);
        }
    }

    private async Task PassOnAsync(IAsyncEnumerable<TurnEvent> events)
    {
        _filter.Begin();
        await foreach (var next in events.ConfigureAwait(false))
        {
            if (next is TurnFailed failed) throw new LServeException(failed.Error);
            if (_filter.Pass(next) is { } fresh) await _arrived.Writer.WriteAsync(fresh, _leaving.Token).ConfigureAwait(false);
            if (next is TurnCompleted) return;
        }
        throw new LServeException(new(ErrorCode.Internal, "The turn's events ended without telling how."));
    }

    private async Task LeaveAsync(Task fetching, int taken)
    {
        if (!fetching.IsCompleted)
            await _grain.LeaveAsync(_turnId, taken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _leaving.CancelAsync().ConfigureAwait(false);
        await fetching.ConfigureAwait(false);
        _leaving.Dispose();
    }
}
