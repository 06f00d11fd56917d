using LServe.Contracts;
using Orleans.Runtime;

namespace LServe.Grains;

/// <summary>What can go wrong between a caller and a grain, as the exception callers know.</summary>
internal static class ClusterFailures
{
    public static async Task<SessionReply> ThrowIfFailedAsync(Task<SessionReply> call, CancellationToken cancellation)
    {
        var reply = await AnswerAsync(call, cancellation).ConfigureAwait(false);
        return reply.Error is { } error ? throw new LServeException(error) : reply;
    }

    public static async Task<SessionPlaceReply> ThrowIfFailedAsync(Task<SessionPlaceReply> call, CancellationToken cancellation)
    {
        var reply = await AnswerAsync(call, cancellation).ConfigureAwait(false);
        return reply.Error is { } error ? throw new LServeException(error) : reply;
    }

    public static async Task<SessionListReply> ThrowIfFailedAsync(Task<SessionListReply> call, CancellationToken cancellation)
    {
        var reply = await AnswerAsync(call, cancellation).ConfigureAwait(false);
        return reply.Error is { } error ? throw new LServeException(error) : reply;
    }

    /// <summary>Whether a silo or the way to it failed, rather than what was asked.</summary>
    public static bool IsOfTheCluster(Exception failure) => failure is OrleansException or EnumerationAbortedException or TimeoutException or IOException;

    public static LServeException Translate(Exception failure) => new(
        IsOfTheCluster(failure)
            ? new(ErrorCode.Overloaded, $"The session's silo can't be reached ({FirstLine(failure)}) Send the same turn id again.", Retryable: true, RetryAfterSeconds: 1)
            : new(ErrorCode.Internal, "The call to the session's silo failed: " + failure.Message),
        failure);

    /// <summary>Of messages that came over a wire, where stack traces are part of the message.</summary>
    private static string FirstLine(Exception failure) => failure.Message.Split('\n')[0].TrimEnd('\r');

    private static async Task<T> AnswerAsync<T>(Task<T> call, CancellationToken cancellation)
    {
        try
        {
            return await call.WaitAsync(cancellation).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !cancellation.IsCancellationRequested)
        {
            throw Translate(failure);
        }
    }
}
