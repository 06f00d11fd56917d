using LServe.Contracts;

namespace LServe.Client;

/// <summary>
/// Kept conversations as things to look at, copy, move and throw away. Thread-safe. Every failure is a <see cref="LServeException"/>.
/// </summary>
public interface ISessionArchive
{
    /// <inheritdoc cref="ISessionClient.GetAsync"/>
    Task<SessionInfo?> GetAsync(string sessionId, CancellationToken cancellation = default);

    /// <inheritdoc cref="ISessionClient.ListAsync"/>
    Task<IReadOnlyList<SessionInfo>> ListAsync(int limit = 100, CancellationToken cancellation = default);

    /// <inheritdoc cref="ISessionClient.DeleteAsync"/>
    Task<bool> DeleteAsync(string sessionId, CancellationToken cancellation = default);

    /// <inheritdoc cref="ISessionClient.RewindAsync"/>
    Task<SessionInfo?> RewindAsync(string sessionId, int turn, CancellationToken cancellation = default);

    /// <inheritdoc cref="ISessionClient.ForkAsync"/>
    Task<SessionInfo?> ForkAsync(string sessionId, string to, int? turn = null, AttentionKind? attention = null, CancellationToken cancellation = default);

    /// <summary>Writes the session as one file; false, and nothing is written, when there is none.</summary>
    /// <param name="withPages">Whether its KV cache goes along, so that it needn't be computed again.</param>
    Task<bool> ExportAsync(string sessionId, bool withPages, Stream to, CancellationToken cancellation = default);

    /// <summary>Keeps the session that a file holds.</summary>
    /// <param name="sessionId">Null: the name it had.</param>
    Task<SessionInfo> ImportAsync(string? sessionId, Stream from, CancellationToken cancellation = default);
}
