using LServe.Contracts;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace LServe.Api.Turns;

/// <summary>Those who read turns here. Some of them may come back when their connection breaks: their turn goes on for that long. Thread-safe.</summary>
internal sealed class TurnReaders(TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly List<TurnReader> _readers = [];

    /// <summary>A request begins to read a turn; as many as there are requests.</summary>
    public TurnReader Enter(HttpContext http, TurnCall call)
    {
        var reader = new TurnReader(http, call, time, Remove);
        lock (_lock) _readers.Add(reader);
        return reader;
    }

    /// <summary>Readers of a turn don't come back; false when there were none here.</summary>
    public bool Leave(SessionKey session, string turnId)
    {
        TurnReader[] leaving;
        lock (_lock) leaving = [.. _readers.Where(reader => reader.Session == session && reader.TurnId == turnId)];
        foreach (var reader in leaving) reader.Leave();
        return leaving.Length > 0;
    }

    private void Remove(TurnReader reader)
    {
        lock (_lock) _readers.Remove(reader);
    }
}

/// <summary>One reader of a turn, from its request to its end or to when it is given up.</summary>
internal sealed class TurnReader : IDisposable
{
    private readonly CancellationTokenSource _gone;
    private readonly Action<TurnReader> _removed;
    private readonly CancellationTokenRegistration _aborted, _stopping;

    public TurnReader(HttpContext http, TurnCall call, TimeProvider time, Action<TurnReader> removed)
    {
        (Session, TurnId, _removed) = (call.Session, call.Request.TurnId, removed);
        _gone = new(Timeout.InfiniteTimeSpan, time);
        // Without a name it can't be asked for again.
        var within = Session is null || TurnId is null ? TimeSpan.Zero : call.ResumeWithin;
        IsPatient = within > TimeSpan.Zero;
        _aborted = http.RequestAborted.Register(() => Abort(within));
        _stopping = http.RequestServices.GetService<IHostApplicationLifetime>() is { } life && IsPatient
            ? life.ApplicationStopping.Register(() => { if (http.RequestAborted.IsCancellationRequested) _gone.Cancel(); })
            : default;
    }

    public SessionKey? Session { get; }
    public string? TurnId { get; }

    /// <summary>Whether its turn goes on for a while when its connection breaks.</summary>
    public bool IsPatient { get; }

    /// <summary>Fires when it is given up.</summary>
    public CancellationToken Gone => _gone.Token;

    public void Leave()
    {
        try
        {
            _gone.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It came to its end at this very moment.
        }
    }

    public void Dispose()
    {
        _removed(this);
        _aborted.Dispose();
        _stopping.Dispose();
        _gone.Dispose();
    }

    private void Abort(TimeSpan within)
    {
        if (within == TimeSpan.Zero) _gone.Cancel();
        else _gone.CancelAfter(within);
    }
}
