using System.Runtime.CompilerServices;
using LServe.Contracts;
using LServe.Sessions;

namespace LServe.Grains;

/// <summary>
/// A session in a cluster: a <see cref="Session"/> and nothing else. It has its own mailbox, which it needs because Orleans interleaves
/// the steps of enumerations; the grain only keeps the activation alive while somebody reads a turn.
/// </summary>
[GrainType("session")]
internal sealed class SessionGrain(SessionEnvironment environment, SessionGrainOptions options, ActiveSessions active) : Grain, ISessionGrain
{
    private readonly SemaphoreSlim _replacing = new(1);
    private SessionKey _key;
    private Session _session = null!;
    private int _readers;
    private bool _deactivating;

    public override Task OnActivateAsync(CancellationToken cancellation)
    {
        _key = SessionKey.Parse(this.GetPrimaryKeyString());
        _session = new(_key, environment);
        active.Enter();
        environment.Activity.CountPlacement();
        return Task.CompletedTask;
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellation)
    {
        _deactivating = true;
        active.Leave();
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(options.DrainTimeout);
        await _session.DrainAsync(patience.Token);
    }

    public IAsyncEnumerable<TurnEvent> SendAsync(TurnRequest request, CancellationToken cancellation = default) =>
        WireEvents.WithFailureAsync(ReadAsync(s => s.SendAsync(request, cancellation), cancellation), cancellation);

    public IAsyncEnumerable<TurnEvent> ResumeAsync(string turnId, CancellationToken cancellation = default) =>
        WireEvents.WithFailureAsync(ReadAsync(s => s.ResumeAsync(turnId, cancellation), cancellation), cancellation);

    public Task LeaveAsync(string turnId, int events)
    {
        _session.Acknowledge(turnId, events);
        return Task.CompletedTask;
    }

    public Task<SessionReply> GetAsync() => ReplyAsync(async () =>
    {
        var kept = await _session.DescribeAsync();
        return new(kept is not null, kept);
    });

    public Task<SessionReply> CancelAsync() => ReplyAsync(() => Task.FromResult(new SessionReply(_session.Cancel())));

    public Task<SessionReply> ReleaseAsync() => ReplyAsync(async () => new(await _session.ReleaseAsync()));

    public Task<SessionReply> RewindAsync(int turn) => ReplyAsync(async () =>
    {
        var rewound = await _session.RewindAsync(turn);
        return new(rewound is not null, rewound);
    });

    public Task<SessionReply> ForkAsync(string to, int? turn, AttentionKind? attention) => ReplyAsync(async () =>
    {
        AttentionKinds.CheckServed(environment.Engine, attention);
        var fork = await SessionFork.RunAsync(environment.Stores, _key, new(_key.Tenant, to), turn, attention);
        return new(fork is not null, fork);
    });

    public Task<SessionReply> DeleteAsync() => ReplyAsync(async () =>
    {
        await _replacing.WaitAsync();
        try
        {
            await _session.CloseAsync();
            return new(await SessionDeletion.RunAsync(environment.Stores, _key));
        }
        finally
        {
            _session = new(_key, environment);
            _replacing.Release();
        }
    });

    /// <summary>
    /// Reads a turn while holding off the collection of idle activations. A session that was deleted just now is closed; then its
    /// successor takes the turn.
    /// </summary>
    private async IAsyncEnumerable<TurnEvent> ReadAsync(
        Func<Session, IAsyncEnumerable<TurnEvent>> read, [EnumeratorCancellation] CancellationToken cancellation)
    {
        Enter();
        try
        {
            while (true)
            {
                await using var events = read(_session).GetAsyncEnumerator(cancellation);
                bool more;
                try
                {
                    more = await events.MoveNextAsync();
                }
                catch (SessionClosedException) when (!_deactivating)
                {
                    await WaitForSuccessorAsync(cancellation);
                    continue;
                }
                for (; more; more = await events.MoveNextAsync()) yield return events.Current;
                yield break;
            }
        }
        finally
        {
            Leave();
        }
    }

    private async Task WaitForSuccessorAsync(CancellationToken cancellation)
    {
        await _replacing.WaitAsync(cancellation);
        _replacing.Release();
    }

    private void Enter()
    {
        if (_readers++ == 0) DelayDeactivation(Timeout.InfiniteTimeSpan);
    }

    private void Leave()
    {
        // At least as long as the turn asked for; afterwards the silo collects it as it does all.
        if (--_readers == 0) DelayDeactivation(_session.KeepAlive ?? TimeSpan.Zero);
    }

    private static async Task<SessionReply> ReplyAsync(Func<Task<SessionReply>> call)
    {
        try
        {
            return await call();
        }
        catch (Exception failure)
        {
            return new(false, Error: WireEvents.ToError(failure));
        }
    }
}
