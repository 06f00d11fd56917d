using LServe.Contracts;

namespace LServe.Client;

/// <summary>
/// Conversations that a server keeps, from outside. Sessions are named within the caller's tenant; the first turn creates one.
/// Thread-safe. Every failure is a <see cref="LServeException"/>, whose <see cref="ErrorInfo.Retryable"/> says whether sending the
/// same again may help; sending a turn again with its <see cref="TurnRequest.TurnId"/> never runs it twice. Clients do so themselves,
/// within the bounds of their <see cref="RetryOptions"/>, before they fail.
/// </summary>
public interface ISessionClient
{
    /// <summary>
    /// Runs one turn and gives its events as they happen, the last one being <see cref="TurnCompleted"/>. Cancelling the enumeration
    /// stops the turn on the server, which keeps what was sent until then.
    /// </summary>
    IAsyncEnumerable<TurnEvent> SendAsync(string sessionId, TurnRequest request, CancellationToken cancellation = default);

    /// <summary>The session with its messages, or null.</summary>
    Task<SessionInfo?> GetAsync(string sessionId, CancellationToken cancellation = default);

    /// <summary>The tenant's sessions, most recently used first, without their messages.</summary>
    /// <param name="limit">Sessions: most to return.</param>
    Task<IReadOnlyList<SessionInfo>> ListAsync(int limit = 100, CancellationToken cancellation = default);

    /// <summary>Stops the turn in progress; false when there was none.</summary>
    Task<bool> CancelAsync(string sessionId, CancellationToken cancellation = default);

    /// <summary>Frees the session's pages; its next turn computes them again. False when there is no such session.</summary>
    Task<bool> ReleaseAsync(string sessionId, CancellationToken cancellation = default);

    /// <summary>Moves the session to another silo of its cluster, once no turn runs; where it is then, or null when there is no such session.</summary>
    /// <param name="silo">Name of the silo, as reports give it; null: the one with the most room.</param>
    Task<string?> MigrateAsync(string sessionId, string? silo = null, CancellationToken cancellation = default);

    /// <summary>Forgets the session; false when there was none.</summary>
    Task<bool> DeleteAsync(string sessionId, CancellationToken cancellation = default);

    /// <summary>Makes the session what it was after its turn <paramref name="turn"/>, from 1, and forgets the turns since; null when there is none.</summary>
    Task<SessionInfo?> RewindAsync(string sessionId, int turn, CancellationToken cancellation = default);

    /// <summary>Begins session <paramref name="to"/> as this one is, or was after <paramref name="turn"/>; null when there is none.</summary>
    /// <param name="attention">How the new session attends; null: as this one. Another way means that its next turn computes its tokens again.</param>
    Task<SessionInfo?> ForkAsync(string sessionId, string to, int? turn = null, AttentionKind? attention = null, CancellationToken cancellation = default);
}

public static class SessionClientExtensions
{
    /// <summary>Says <paramref name="text"/> as the user.</summary>
    public static IAsyncEnumerable<TurnEvent> SendAsync(
        this ISessionClient client, string sessionId, string text, CancellationToken cancellation = default) =>
        client.SendAsync(sessionId, new TurnRequest { Messages = [new(ChatMessage.User, text)] }, cancellation);

    /// <summary>Says <paramref name="text"/> as the user and gives the whole answer.</summary>
    public static async Task<string> AskAsync(this ISessionClient client, string sessionId, string text, CancellationToken cancellation = default)
    {
        var answer = new System.Text.StringBuilder();
        await foreach (var happened in client.SendAsync(sessionId, text, cancellation).ConfigureAwait(false))
            if (happened is TextDelta delta) answer.Append(delta.Text);
        return answer.ToString();
    }
}
