using System.Runtime.CompilerServices;
using LServe.Contracts;

namespace LServe.Client;

/// <summary>Tries calls and turns again, the same way over HTTP and in a cluster.</summary>
internal sealed class Retrying(RetryOptions options, TimeProvider time)
{
    public async Task<T> CallAsync<T>(Func<Task<T>> call, CancellationToken cancellation)
    {
        for (var retries = 0; ; retries++)
        {
            TimeSpan delay;
            try
            {
                return await call().ConfigureAwait(false);
            }
            catch (LServeException problem) when (options.DelayAfter(problem.Error, retries) is { } wait)
            {
                delay = wait;
            }
            await Task.Delay(delay, time, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// A turn's events, each once. When its stream breaks it is asked for again by its id, which joins it if it still runs, tells its
    /// result if it was committed, and runs it if it was lost.
    /// </summary>
    /// <param name="send">One try.</param>
    /// <param name="leave">Says that nobody wants the turn of this id any more, before its stream is closed; null: closing says so.</param>
    public async IAsyncEnumerable<TurnEvent> TurnAsync(
        TurnRequest request, Func<TurnRequest, CancellationToken, IAsyncEnumerable<TurnEvent>> send, Func<string, Task>? leave,
        [EnumeratorCancellation] CancellationToken cancellation)
    {
        var (turnId, replay, retries) = (request.TurnId ?? Guid.NewGuid().ToString("N"), new TurnReplay(), 0);
        while (true)
        {
            var attempt = new TurnAttempt(send, request with { TurnId = turnId }, leave is null ? null : () => leave(turnId));
            await using var closing = attempt.ConfigureAwait(false);
            replay.Begin();
            TimeSpan? delay = null;
            while (delay is null)
            {
                TurnEvent? next = null;
                try
                {
                    next = await attempt.NextAsync(cancellation).ConfigureAwait(false);
                }
                catch (LServeException problem) when (options.DelayAfter(problem.Error, retries) is { } wait)
                {
                    delay = wait;
                    retries++;
                }
                if (next is null) continue;
                if (attempt.Keep(() => replay.Pass(next)) is not { } fresh) continue;
                retries = 0;
                yield return fresh;
                if (fresh is TurnCompleted) yield break;
            }
            await Task.Delay(delay.Value, time, cancellation).ConfigureAwait(false);
        }
    }
}
