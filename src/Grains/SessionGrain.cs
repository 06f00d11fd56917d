using System.Runtime.CompilerServices;
using LServe.Contracts;
using LServe.Sessions;
using Orleans.Runtime;
using Orleans.Runtime.Placement;

namespace LServe.Grains;

/// <summary>
/// A session in a cluster: a <see cref="Session"/> and nothing else. It has its own mailbox, which it needs because Orleans interleaves
/// the steps of enumerations; the grain only keeps the activation alive while somebody reads a turn.
/// </summary>
[GrainType("session")]
[SessionPlacement]
internal sealed class SessionGrain(SessionEnvironment environment, SessionGrainOptions options, ActiveSessions active, CapacityBoard board)
    : Grain, ISessionGrain, IGrainMigrationParticipant
{
    private const string HandoverKey = "lserve.session";

    private readonly SemaphoreSlim _replacing = new(1);
    private SessionKey _key;
    private Session _session = null!;
    private SessionHandover? _handover;
    private int _readers;
    private bool _deactivating;

    /// <summary>Whether its pages are in memory.</summary>
    public bool IsWarm => _session.CachedTokens > 0;

    /// <summary>Whether no turn runs, waits or is being read.</summary>
    public bool IsIdle => !_session.IsBusy && Volatile.Read(ref _readers) == 0;

    /// <inheritdoc cref="Session.IdleFor"/>
    public TimeSpan IdleFor => _session.IdleFor;

    public override async Task OnActivateAsync(CancellationToken cancellation)
    {
        _key = SessionKey.Parse(this.GetPrimaryKeyString());
        _session = new(_key, environment, handover: _handover);
        active.Enter(this);
        environment.Activity.CountPlacement();
        // Whoever moves a session waits for it; the next turn then needn't.
        if (_handover is not null) await _session.WarmAsync();
        _handover = null;
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellation)
    {
        _deactivating = true;
        active.Leave(this);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(options.DrainTimeout);
        await _session.DrainAsync(patience.Token);
    }

    public void OnDehydrate(IDehydrationContext context)
    {
        if (_session.HandOver()?.Write() is { } bytes) context.TryAddValue(HandoverKey, bytes);
        environment.Activity.CountMigrationOut();
    }

    public void OnRehydrate(IRehydrationContext context)
    {
        if (context.TryGetValue<byte[]>(HandoverKey, out var bytes) && bytes is not null) _handover = SessionHandover.Read(bytes);
        environment.Activity.CountMigrationIn();
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

    public async Task<SessionPlaceReply> MigrateAsync(string? silo)
    {
        try
        {
            await WhenIdleAsync();
            if (await _session.DescribeAsync() is null) return new(null);
            var target = SessionMigration.Choose(await board.AllAsync(), board.Local, environment, silo);
            RequestContext.Set(IPlacementDirector.PlacementHintKey, target.Address);
            MigrateOnIdle();
            return new(target.Report.Silo.Name);
        }
        catch (Exception failure)
        {
            return new(null, WireEvents.ToError(failure));
        }
    }

    public Task<SessionPlaceReply> LocateAsync() => Task.FromResult(new SessionPlaceReply(environment.Activity.Silo.Name));

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

    private async Task WhenIdleAsync()
    {
        using var patience = new CancellationTokenSource(options.DrainTimeout, environment.Time);
        try
        {
            await _session.WhenIdleAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            throw LServeException.Overloaded(
                $"A turn of session {_key} goes on for more than {options.DrainTimeout.TotalSeconds:0} s; cancel it or wait for its end, then migrate.");
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
