using LServe.Contracts;
using Orleans.Concurrency;

namespace LServe.Grains;

/// <summary>
/// A conversation in a cluster; its key is <c>tenant/session</c> (<see cref="SessionKey"/>). Failures arrive as values: a stream ends
/// with <see cref="TurnFailed"/>, a reply carries <see cref="SessionReply.Error"/>. <see cref="SessionGrainExtensions"/> turns both
/// into <see cref="LServeException"/>s and adds what a reader needs who pauses, leaves or loses the connection: prefer it to the bare
/// calls.
/// </summary>
[Alias("lserve.ISessionGrain")]
public interface ISessionGrain : IGrainWithStringKey
{
    /// <summary>
    /// Runs one turn, or joins it if a turn of this id runs or waits, or repeats the result of the last committed one. A reader that asks
    /// for nothing during the cluster's response timeout is taken for gone.
    /// </summary>
    [Alias("SendAsync")]
    IAsyncEnumerable<TurnEvent> SendAsync(TurnRequest request, CancellationToken cancellation = default);

    /// <summary>The events, from the first, of a turn that was sent before; runs nothing.</summary>
    [Alias("ResumeAsync")]
    IAsyncEnumerable<TurnEvent> ResumeAsync(string turnId, CancellationToken cancellation = default);

    /// <summary>
    /// Says how many of a turn's events got through to a reader who is about to leave. If nobody else reads the turn, it is cut there.
    /// </summary>
    [Alias("LeaveAsync"), AlwaysInterleave]
    Task LeaveAsync(string turnId, int events);

    /// <summary>What is kept; never waits for a running turn.</summary>
    [Alias("GetAsync"), AlwaysInterleave]
    Task<SessionReply> GetAsync();

    /// <summary>Stops the turn in progress; not done when there was none.</summary>
    [Alias("CancelAsync"), AlwaysInterleave]
    Task<SessionReply> CancelAsync();

    /// <summary>Frees the session's pages; not done while a turn runs, or when nothing is kept.</summary>
    [Alias("ReleaseAsync")]
    Task<SessionReply> ReleaseAsync();

    /// <summary>Makes the session what it was after a turn, from 1; no session in the reply when there is none.</summary>
    [Alias("RewindAsync")]
    Task<SessionReply> RewindAsync(int turn);

    /// <summary>Begins another session of this tenant as this one is, or was after a turn; no session in the reply when there is none.</summary>
    [Alias("ForkAsync")]
    Task<SessionReply> ForkAsync(string to, int? turn, AttentionKind? attention);

    /// <summary>
    /// Sends the session to another silo, once no turn runs, and tells its name; it is there when <see cref="LocateAsync"/> says so. No
    /// silo in the reply when nothing is kept.
    /// </summary>
    /// <param name="silo">Name of the silo; null: the one with the most room.</param>
    [Alias("MigrateAsync")]
    Task<SessionPlaceReply> MigrateAsync(string? silo);

    /// <summary>The silo that the session is on.</summary>
    [Alias("LocateAsync"), AlwaysInterleave]
    Task<SessionPlaceReply> LocateAsync();

    /// <summary>Forgets the session; a turn in progress is cancelled first. Not done when there was nothing to forget.</summary>
    [Alias("DeleteAsync")]
    Task<SessionReply> DeleteAsync();
}
