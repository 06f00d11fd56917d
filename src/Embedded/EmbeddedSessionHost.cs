using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using LServe.Contracts;
using LServe.Sessions;

namespace LServe.Embedded;

/// <summary>All sessions in one process. The default on one machine, for tests, benchmarks and <c>lserve chat --local</c>.</summary>
public sealed class EmbeddedSessionHost : ISessionHost, IAsyncDisposable
{
    private readonly SessionEnvironment _environment;
    private readonly EmbeddedOptions _options;
    private readonly ConcurrentDictionary<SessionKey, Session> _active = new();
    private readonly ITimer _sweeper;
    private readonly StatusReport _status;
    private readonly SiloReporter _reporter;
    private readonly StatelessTurns _stateless;

    /// <param name="environment">Its engine stays the caller's to dispose, after this host.</param>
    public EmbeddedSessionHost(SessionEnvironment environment, EmbeddedOptions? options = null)
    {
        (_environment, _options) = (environment, options ?? new());
        (_status, _reporter, _stateless) = (new(environment), new(environment), new(environment, _options.MaxStatelessTurns));
        _sweeper = environment.Time.CreateTimer(_ => _ = SweepAsync(), null, _options.SweepInterval, _options.SweepInterval);
    }

    public HostStatus Status => _status.Read(_active.Count);

    public async ValueTask<IReadOnlyList<SiloReport>> ReportAsync(CancellationToken cancellation = default) =>
        [await _reporter.ReadAsync(_active.Count, cancellation)];

    public async IAsyncEnumerable<TurnEvent> SendAsync(
        SessionKey key, TurnRequest request, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        // A session may close between being found and taking the turn; then a new one takes it.
        while (true)
        {
            var session = await ActivateAsync(key);
            await using var events = session.SendAsync(request, cancellation).GetAsyncEnumerator(cancellation);
            bool more;
            try
            {
                more = await events.MoveNextAsync();
            }
            catch (SessionClosedException)
            {
                _active.TryRemove(new(key, session));
                continue;
            }
            for (; more; more = await events.MoveNextAsync()) yield return events.Current;
            yield break;
        }
    }

    public IAsyncEnumerable<TurnEvent> RunAsync(string tenant, TurnRequest request, CancellationToken cancellation = default) =>
        _stateless.RunAsync(tenant, request, cancellation);

    public async ValueTask<SessionInfo?> GetAsync(SessionKey key, CancellationToken cancellation = default) =>
        _active.TryGetValue(key, out var session)
            ? await session.DescribeAsync(cancellation)
            : await Session.DescribeAsync(_environment.Store, key, cancellation);

    public async ValueTask<IReadOnlyList<SessionInfo>> ListAsync(string tenant, int limit = 100, CancellationToken cancellation = default)
    {
        var found = new List<SessionInfo>();
        foreach (var stored in await _environment.Store.ListAsync(tenant, limit, cancellation))
        {
            var info = _active.TryGetValue(stored.Key, out var session) ? await session.DescribeAsync(cancellation) : Session.Describe(stored);
            if (info is not null) found.Add(info with { Messages = [] });
        }
        return found;
    }

    public ValueTask<bool> CancelAsync(SessionKey key, CancellationToken cancellation = default) =>
        ValueTask.FromResult(_active.TryGetValue(key, out var session) && session.Cancel());

    public async ValueTask<bool> ReleaseAsync(SessionKey key, CancellationToken cancellation = default) =>
        _active.TryGetValue(key, out var session)
            ? await session.ReleaseAsync()
            : await _environment.Store.LoadAsync(key, cancellation) is not null;

    public async ValueTask<SessionInfo?> RewindAsync(SessionKey key, int turn, CancellationToken cancellation = default)
    {
        while (true)
        {
            var session = await ActivateAsync(key);
            try
            {
                return await session.RewindAsync(turn);
            }
            catch (SessionClosedException)
            {
                _active.TryRemove(new(key, session));
            }
        }
    }

    public async ValueTask<SessionInfo?> ForkAsync(SessionKey key, SessionKey to, int? turn = null, AttentionKind? attention = null, CancellationToken cancellation = default)
    {
        AttentionKinds.CheckServed(_environment.Engine, attention);
        return await SessionFork.RunAsync(_environment.Stores, key, to, turn, attention, cancellation);
    }

    public async ValueTask<bool> ExportAsync(SessionKey key, bool withPages, Stream to, CancellationToken cancellation = default) =>
        await SessionExport.RunAsync(_environment.Stores, key, withPages, to, cancellation);

    public async ValueTask<SessionInfo> ImportAsync(string tenant, string? name, Stream from, CancellationToken cancellation = default) =>
        await SessionImport.RunAsync(_environment.Stores, tenant, name, from, cancellation);

    public ValueTask<string?> MigrateAsync(SessionKey key, string? silo = null, CancellationToken cancellation = default) => throw LServeException.Invalid(
        "This server is one process, so that a session has nowhere to move to. In a cluster ('./lserve serve --cluster …') it has.");

    public async ValueTask<bool> DeleteAsync(SessionKey key, CancellationToken cancellation = default)
    {
        if (_active.TryGetValue(key, out var session))
        {
            await session.CloseAsync();
            _active.TryRemove(new(key, session));
        }
        return await SessionDeletion.RunAsync(_environment.Stores, key, cancellation);
    }

    /// <summary>Cancels running turns, waits for them to commit what they sent, and frees all pages.</summary>
    public async ValueTask DisposeAsync()
    {
        await _sweeper.DisposeAsync();
        await Task.WhenAll(_active.Values.Select(s => s.CloseAsync()));
        _active.Clear();
    }

    private async Task<Session> ActivateAsync(SessionKey key)
    {
        if (_active.TryGetValue(key, out var session)) return session;
        if (_active.Count >= _options.MaxActiveSessions && !await EvictLongestIdleAsync())
            throw LServeException.Overloaded($"{_options.MaxActiveSessions} sessions are busy, which is this server's limit. Try again shortly.");
        var made = new Session(key, _environment);
        session = _active.GetOrAdd(key, made);
        if (session == made) _environment.Activity.CountPlacement();
        return session;
    }

    private async Task<bool> EvictLongestIdleAsync()
    {
        foreach (var (key, session) in _active.Where(a => !a.Value.IsBusy).OrderByDescending(a => Overdue(a.Value)))
            if (await EvictAsync(key, session))
                return true;
        return false;
    }

    private async Task SweepAsync()
    {
        foreach (var (key, session) in _active)
            if (Overdue(session) >= TimeSpan.Zero)
                await EvictAsync(key, session);
    }

    /// <summary>Time past which the session needn't stay in memory.</summary>
    private TimeSpan Overdue(Session session) => session.IdleFor - (session.KeepAlive ?? _options.IdleTimeout);

    private async Task<bool> EvictAsync(SessionKey key, Session session) =>
        await session.TryCloseIdleAsync() && _active.TryRemove(new(key, session));
}
