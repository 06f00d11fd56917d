using System.Runtime.CompilerServices;
using LServe.Contracts;
using LServe.Sessions;

namespace LServe.Grains;

/// <summary>Failures as values, on the grain's side.</summary>
internal static class WireEvents
{
    /// <summary>The events, and <see cref="TurnFailed"/> in place of an exception.</summary>
    public static async IAsyncEnumerable<TurnEvent> WithFailureAsync(
        IAsyncEnumerable<TurnEvent> events, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        await using var all = events.GetAsyncEnumerator(cancellation);
        while (true)
        {
            TurnEvent? next;
            try
            {
                next = await all.MoveNextAsync() ? all.Current : null;
            }
            catch (Exception failure) when (failure is not OperationCanceledException)
            {
                next = new TurnFailed(ToError(failure));
            }
            if (next is null) yield break;
            yield return next;
            if (next is TurnFailed) yield break;
        }
    }

    public static ErrorInfo ToError(Exception failure) => failure switch
    {
        LServeException known => known.Error,
        SessionStoreException store => store.ToPublic().Error,
        SessionClosedException => new(ErrorCode.Overloaded, "The session is leaving its silo. Send the same turn id again.", Retryable: true, RetryAfterSeconds: 1),
        _ => new(ErrorCode.Internal, "The session failed: " + failure.Message),
    };
}
