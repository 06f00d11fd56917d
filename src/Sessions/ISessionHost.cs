using LServe.Contracts;

namespace LServe.Sessions;

/// <summary>
/// Where sessions live. Both implementations (one process, or an Orleans cluster) pass one contract suite. Failures are
/// <see cref="LServeException"/>s, thrown before the first event or in place of the last.
/// </summary>
public interface ISessionHost
{
    /// <summary>
    /// Runs one turn of a session, which is created by its first turn. Turns of one session run one after another in order of arrival.
    /// Cancelling the enumeration stops the turn at the next step; what was sent is committed.
    /// </summary>
    IAsyncEnumerable<TurnEvent> SendAsync(SessionKey key, TurnRequest request, CancellationToken cancellation = default);

    /// <summary>Runs one turn that keeps nothing.</summary>
    IAsyncEnumerable<TurnEvent> RunAsync(string tenant, TurnRequest request, CancellationToken cancellation = default);

    /// <summary>The session, or null. Never waits for a running turn.</summary>
    ValueTask<SessionInfo?> GetAsync(SessionKey key, CancellationToken cancellation = default);

    /// <summary>The tenant's sessions, most recently used first, at most <paramref name="limit"/>, without their messages.</summary>
    ValueTask<IReadOnlyList<SessionInfo>> ListAsync(string tenant, int limit = 100, CancellationToken cancellation = default);

    /// <summary>Stops the turn in progress, if any; false when there was none.</summary>
    ValueTask<bool> CancelAsync(SessionKey key, CancellationToken cancellation = default);

    /// <summary>Frees the session's pages; its next turn computes them again. False when there is no such session.</summary>
    ValueTask<bool> ReleaseAsync(SessionKey key, CancellationToken cancellation = default);

    /// <summary>Makes the session what it was after its turn <paramref name="turn"/>, from 1, and forgets the turns since; null when there is no such session.</summary>
    /// <exception cref="LServeException">A turn is running, or that turn isn't kept.</exception>
    ValueTask<SessionInfo?> RewindAsync(SessionKey key, int turn, CancellationToken cancellation = default);

    /// <summary>Begins session <paramref name="to"/> as this one is, or was after <paramref name="turn"/>; null when there is no such session.</summary>
    /// <param name="attention">How the new session attends; null: as this one.</param>
    /// <exception cref="LServeException">There is a session of that name, or that turn isn't kept.</exception>
    ValueTask<SessionInfo?> ForkAsync(SessionKey key, SessionKey to, int? turn = null, AttentionKind? attention = null, CancellationToken cancellation = default);

    /// <summary>Writes the session as it was last committed, as one file; false, and nothing is written, when there is none.</summary>
    /// <param name="withPages">Whether its KV cache goes along.</param>
    ValueTask<bool> ExportAsync(SessionKey key, bool withPages, Stream to, CancellationToken cancellation = default);

    /// <summary>Keeps the session that a file holds.</summary>
    /// <param name="name">Null: the name it had.</param>
    /// <exception cref="LServeException">The file is no session or damaged, or there is a session of that name.</exception>
    ValueTask<SessionInfo> ImportAsync(string tenant, string? name, Stream from, CancellationToken cancellation = default);

    /// <summary>Moves the session to another process of this host, once no turn runs; where it is then, or null when there is no such session.</summary>
    /// <param name="silo">Name of the process, see <see cref="SiloIdentity"/>; null: the one with the most room.</param>
    /// <exception cref="LServeException">There is no other process to move to, or a turn goes on for too long.</exception>
    ValueTask<string?> MigrateAsync(SessionKey key, string? silo = null, CancellationToken cancellation = default);

    /// <summary>Forgets the session and its pages; a turn in progress is cancelled first. False when there was none.</summary>
    ValueTask<bool> DeleteAsync(SessionKey key, CancellationToken cancellation = default);

    /// <summary>What each process of this host is doing, by name; those that don't answer in time are left out.</summary>
    ValueTask<IReadOnlyList<SiloReport>> ReportAsync(CancellationToken cancellation = default);

    /// <summary>What the model is called, its limits, and what the engine is doing.</summary>
    HostStatus Status { get; }
}

/// <summary>A snapshot of a host for health checks, metrics and dashboards.</summary>
/// <param name="Ready">Whether turns are accepted.</param>
/// <param name="Problem">Why not, if not.</param>
public sealed record HostStatus(
    string Model, bool CanChat, string? ChatProblem, int ContextLength, bool Ready, string? Problem, string Backend,
    int Sessions, int Running, int Waiting, int PagesUsed, int PagesTotal, long PromptTokens, long GeneratedTokens, long Steps,
    double TokensPerSecond)
{
    /// <summary>KV pages that heads read in decode steps since start, summed over layers and KV heads.</summary>
    public long PagesRead { get; init; }

    /// <summary>KV pages that those heads held in those steps.</summary>
    public long PagesHeld { get; init; }

    /// <summary>How new sessions attend.</summary>
    public AttentionKind Attention { get; init; }
}
