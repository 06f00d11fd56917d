using System.Runtime.CompilerServices;
using LServe.Contracts;

namespace LServe.Sessions;

/// <summary>
/// One conversation and its mailbox: turns run one after another in order of arrival, in every host. Knows neither HTTP nor Orleans.
/// </summary>
public sealed partial class Session
{
    private readonly SessionKey _key;
    private readonly SessionEnvironment _environment;
    private readonly SessionMemory _memory;
    private readonly TurnExecutor _executor;
    private readonly Lock _lock = new();
    private readonly Queue<Turn> _waiting = new();
    private Turn? _current;
    private Task _worker = Task.CompletedTask;
    private bool _closed;
    private long _usedAt;
    private TimeSpan? _keepAlive;

    /// <param name="keeps">Whether turns are saved; false for a stateless request.</param>
    /// <param name="handover">What another process had in memory of this session; null: it is loaded when it is needed.</param>
    public Session(SessionKey key, SessionEnvironment environment, bool keeps = true, SessionHandover? handover = null)
    {
        (_key, _environment) = (key, environment);
        _memory = new(key, environment, keeps, handover);
        _executor = new(environment, _memory);
        _usedAt = environment.Time.GetTimestamp();
    }

    /// <summary>Time since it was last used, whatever became of the clock meanwhile.</summary>
    public TimeSpan IdleFor
    {
        get { lock (_lock) return _environment.Time.GetElapsedTime(_usedAt); }
    }

    /// <summary>Time that the last turn wants the session to stay in memory; null: as its host likes.</summary>
    public TimeSpan? KeepAlive
    {
        get { lock (_lock) return _keepAlive; }
    }

    /// <summary>Whether a turn runs or waits.</summary>
    public bool IsBusy
    {
        get { lock (_lock) return _current is not null || _waiting.Count > 0; }
    }

    /// <summary>Tokens whose keys and values are in memory.</summary>
    public int CachedTokens => _memory.CachedTokens;

    /// <summary>Whether it was closed, so that a host must make a new one.</summary>
    public bool IsClosed
    {
        get { lock (_lock) return _closed; }
    }

    /// <inheritdoc cref="ISessionHost.SendAsync"/>
    public async IAsyncEnumerable<TurnEvent> SendAsync(TurnRequest request, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var turn = JoinOrEnqueue(request);
        await foreach (var next in turn.ReadAsync(cancellation)) yield return next;
    }

    /// <summary>
    /// The events, from the first, of a turn that runs, waits or was the last to be committed, for a reader that lost its connection.
    /// Never runs anything.
    /// </summary>
    /// <exception cref="LServeException">There is no such turn here, so sending it again is safe.</exception>
    public async IAsyncEnumerable<TurnEvent> ResumeAsync(string turnId, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var turn = await FindAsync(turnId, cancellation);
        await foreach (var next in turn.ReadAsync(cancellation)) yield return next;
    }

    /// <summary>
    /// Says, before a reader behind a wire leaves, how many of the events it was given got through: if it is the last to leave, the turn
    /// is cut there, and not at what was on its way.
    /// </summary>
    public void Acknowledge(string turnId, int events)
    {
        lock (_lock) Find(turnId)?.Acknowledge(events);
    }

    /// <inheritdoc cref="ISessionHost.CancelAsync"/>
    public bool Cancel()
    {
        Turn? running;
        lock (_lock) running = _current;
        running?.Cancel();
        return running is not null;
    }

    /// <summary>Frees the pages; false if a turn runs or waits, or nothing is kept.</summary>
    public async Task<bool> ReleaseAsync()
    {
        Task released;
        lock (_lock)
        {
            if (_current is not null) return false;
            _worker = released = FreePagesAsync(after: _worker);
        }
        await released;
        return await _memory.PeekAsync() is not null;
    }

    /// <inheritdoc cref="ISessionHost.RewindAsync"/>
    public async Task<SessionInfo?> RewindAsync(int turn)
    {
        Task<SessionSnapshot?> rewinding;
        lock (_lock)
        {
            if (_closed) throw new SessionClosedException(_key);
            if (_current is not null)
                throw new LServeException(new(ErrorCode.SessionConflict, $"A turn of session {_key} is running; cancel it or wait for its end, then rewind.", "turn"));
            _worker = rewinding = RewindAsync(_worker, turn);
        }
        if (await rewinding is { } rewound) return Describe(rewound);
        return await _memory.PeekAsync() is { } kept ? throw SessionFork.NoSuchTurn(kept, turn) : null;
    }

    /// <summary>Accepts no more turns; lets those that it has end, or cancels them once <paramref name="cutOff"/> fires; frees the pages.</summary>
    public async Task DrainAsync(CancellationToken cutOff)
    {
        Task worker;
        lock (_lock)
        {
            _closed = true;
            worker = _worker;
        }
        await worker.WaitAsync(cutOff).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await CloseAsync();
    }

    /// <summary>Accepts no more turns; cancels the running one and waits for it to end; frees the pages.</summary>
    public async Task CloseAsync()
    {
        Task worker;
        lock (_lock)
        {
            _closed = true;
            worker = _worker;
            _current?.Cancel();
            foreach (var turn in _waiting) turn.Cancel();
        }
        await FreePagesAsync(after: worker);
    }

    /// <summary>Closes the session only if no turn runs or waits; false otherwise.</summary>
    public async Task<bool> TryCloseIdleAsync()
    {
        lock (_lock)
        {
            if (_current is not null || _waiting.Count > 0) return false;
            _closed = true;
        }
        await CloseAsync();
        return true;
    }

    /// <summary>Completes once no turn runs or waits.</summary>
    public async Task WhenIdleAsync(CancellationToken cancellation = default)
    {
        while (true)
        {
            Task worker;
            lock (_lock)
            {
                if (_current is null) return;
                worker = _worker;
            }
            await worker.WaitAsync(cancellation);
        }
    }

    /// <summary>Brings the pages into memory if there is room that nobody uses, so that the next turn finds them.</summary>
    public async Task WarmAsync()
    {
        Task warmed;
        lock (_lock)
        {
            if (_closed || _current is not null) return;
            _worker = warmed = WarmAsync(after: _worker);
        }
        await warmed.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>What the next process to have this session need not load; null if nothing is in memory. For a closed session.</summary>
    public SessionHandover? HandOver() => _memory.HandOver();

    private Turn JoinOrEnqueue(TurnRequest request)
    {
        lock (_lock)
        {
            if (_closed) throw new SessionClosedException(_key);
            _usedAt = _environment.Time.GetTimestamp();
            if (request.TurnId is { } id && Find(id) is { } same) return same;
            if (_waiting.Count >= _environment.Limits.MaxWaitingTurns)
                throw LServeException.RateLimited(
                    $"Session {_key} has {_waiting.Count} turns waiting, which is its limit. Wait for one to end, or use another session.");
            var turn = new Turn(request.TurnId ?? Guid.NewGuid().ToString("N"), request);
            _waiting.Enqueue(turn);
            if (_current is null) StartWorker();
            return turn;
        }
    }

    private Turn? Find(string id) => _current?.Id == id ? _current : _waiting.FirstOrDefault(t => t.Id == id);

    private async Task<Turn> FindAsync(string turnId, CancellationToken cancellation)
    {
        lock (_lock)
        {
            if (_closed) throw new SessionClosedException(_key);
            if (Find(turnId) is { } running) return running;
        }
        var snapshot = await _memory.PeekAsync(cancellation);
        if (snapshot?.LastTurn is not { } last || last.TurnId != turnId)
            throw LServeException.Overloaded($"Turn {turnId} of session {_key} was lost before it was committed. Send it again.");
        var turn = new Turn(turnId, new());
        TurnExecutor.Repeat(turn, last)();
        return turn;
    }

    private void StartWorker()
    {
        _current = _waiting.Dequeue();
        var before = _worker;
        _worker = Task.Run(() => WorkAsync(before));
    }

    private async Task WorkAsync(Task before)
    {
        await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        for (var turn = _current; turn is not null;)
        {
            var end = await _executor.RunAsync(turn);
            await _memory.KeepAliveAsync(turn.Request.KeepAlive);
            lock (_lock) _keepAlive = turn.Request.KeepAlive is { } seconds ? TimeSpan.FromSeconds(seconds) : null;
            turn = Next();
            // Told last, so that whoever has seen the end finds the session idle.
            end();
        }
    }

    private async Task WarmAsync(Task after)
    {
        await after.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _memory.WarmAsync();
    }

    private async Task FreePagesAsync(Task after)
    {
        await after.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _memory.FreePagesAsync();
    }

    private async Task<SessionSnapshot?> RewindAsync(Task after, int turn)
    {
        await after.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return await _memory.RewindAsync(turn);
    }

    private Turn? Next()
    {
        lock (_lock)
        {
            _usedAt = _environment.Time.GetTimestamp();
            _waiting.TryDequeue(out _current);
            return _current;
        }
    }
}

/// <summary>The session object is closed (its host evicted it); the host makes a new one and tries again. Never leaves the host.</summary>
public sealed class SessionClosedException(SessionKey key) : Exception($"Session {key} is closed here.");
