using LServe.Contracts;
using LServe.Inference;

namespace LServe.Sessions;

/// <summary>
/// What one session keeps: its last committed snapshot, and the sequence that goes with it. Used by the session's mailbox, one turn at
/// a time; <see cref="Snapshot"/> and <see cref="CachedTokens"/> may be read by anybody.
/// </summary>
internal sealed class SessionMemory(SessionKey key, SessionEnvironment environment, bool keeps, SessionHandover? handover = null)
{
    private readonly SessionPages _pages = new(key, environment);
    private string? _etag = handover?.ETag;
    private Sequence? _sequence;

    /// <summary>The last committed turn's state, or null before the first, or before it was loaded.</summary>
    public SessionSnapshot? Snapshot { get; private set; } = handover?.Snapshot;

    public SessionKey Key => key;

    /// <summary>Whether the turns so far were computed by another arithmetic than this host's.</summary>
    public bool ArithmeticChanged =>
        Snapshot?.Fingerprint is { } before && environment.Fingerprint is { } now && before.Arithmetic != now.Arithmetic;

    /// <summary>Tokens whose keys and values are in memory.</summary>
    public int CachedTokens => _sequence?.CachedLength ?? 0;

    /// <summary>The committed state, from memory or from the store.</summary>
    public async ValueTask<SessionSnapshot?> PeekAsync(CancellationToken cancellation = default) =>
        Snapshot ?? (keeps ? (await environment.Store.LoadAsync(key, cancellation))?.Snapshot : null);

    /// <summary>The sequence to go on with, loaded if it isn't in memory.</summary>
    /// <param name="attention">How a session without a committed turn is to attend; null: as the host's sessions do.</param>
    public async Task<Sequence> LoadAsync(AttentionMode? attention = null)
    {
        if (_sequence is not null && (Snapshot is not null || _sequence.Mode == (attention ?? environment.Attention))) return _sequence;
        if (_sequence is not null) await ForgetAsync();
        if (Snapshot is { } known)
        {
            CheckTokens(known);
            return _sequence = SequenceOf(known);
        }
        if (keeps && await environment.Store.LoadAsync(key) is { } stored)
        {
            CheckTokens(stored.Snapshot);
            (Snapshot, _etag) = (stored.Snapshot, stored.ETag);
            return _sequence = SequenceOf(stored.Snapshot);
        }
        return _sequence = new Sequence(key.Tenant, attention ?? environment.Attention);
    }

    /// <summary>Reads the pages of a sequence that has none from the store; tokens that are cached since. What can't be used is computed again.</summary>
    public async Task<int> RestorePagesAsync()
    {
        if (_sequence is not { CachedLength: 0 } sequence || Snapshot is not { } snapshot) return 0;
        Snapshot = snapshot with { Kv = await _pages.RestoreAsync(sequence, snapshot) };
        return sequence.CachedLength;
    }

    /// <summary>The same before a turn asks for it, if there is room that no other session uses.</summary>
    public async Task WarmAsync()
    {
        await LoadAsync();
        var s = environment.Engine.Statistics;
        if (Snapshot is { } snapshot && KvGeometry.PagesFor(snapshot.Tokens.Count) <= s.PagesTotal - s.PagesUsed) await RestorePagesAsync();
    }

    /// <summary>What is in memory between turns, or null.</summary>
    public SessionHandover? HandOver() => Snapshot is { } snapshot && _etag is { } etag ? new(snapshot, etag) : null;

    /// <summary>Notes how far the turn's answer is; null when nothing is kept.</summary>
    public AnswerCheckpoints? CheckpointsOf(Turn turn) => keeps ? new(key, environment, turn.Id) : null;

    /// <summary>The answer that was in progress when the process was killed, or null.</summary>
    public ValueTask<InterruptedAnswer?> InterruptedAsync(CancellationToken cancellation = default) =>
        keeps ? environment.Store.LoadNoteAsync(key, cancellation) : default;

    /// <summary>Saves what a turn added; it is committed when this returns.</summary>
    /// <exception cref="SessionStoreConflictException">Another activation of this session has committed since it was loaded.</exception>
    public async Task CommitAsync(Turn turn, TurnInput input, TurnRunner.Outcome outcome)
    {
        if (!keeps || outcome.Text is null) return;
        var next = SnapshotAfter(turn, input, outcome);
        try
        {
            next = next with { Kv = await _pages.SaveAsync(_sequence!, next.Turns, Snapshot?.Kv ?? SessionSnapshot.NoRecords) };
            _etag = await environment.Store.SaveAsync(next, _etag);
        }
        catch
        {
            // The sequence is ahead of what is committed, or behind somebody else's commit: the next turn loads what is true.
            await ForgetAsync();
            throw;
        }
        Snapshot = next;
        if (await _pages.CompactAsync()) Snapshot = next with { Kv = await PlacesAsync() };
    }

    /// <summary>Makes the session what it was after a turn; null when that turn isn't kept.</summary>
    public async Task<SessionSnapshot?> RewindAsync(int turn)
    {
        await ForgetAsync();
        return (await environment.Store.RewindAsync(key, turn, null))?.Snapshot;
    }

    /// <summary>Keeps the pages in memory after a turn as long as it asked for.</summary>
    public async Task KeepAliveAsync(int? seconds)
    {
        if (_sequence is { } sequence) sequence.IsPinned = seconds > 0;
        if (seconds == 0) await FreePagesAsync();
    }

    /// <summary>Frees the pages; the next turn computes them again.</summary>
    public async Task FreePagesAsync()
    {
        if (_sequence is { } sequence) await environment.Engine.ReleaseAsync(sequence);
    }

    /// <summary>Drops all that is in memory; the next turn loads what is committed.</summary>
    public async Task ForgetAsync()
    {
        await FreePagesAsync();
        (_sequence, Snapshot, _etag) = (null, null, null);
    }

    private Sequence SequenceOf(SessionSnapshot s) => Sequence.Restore(key.Tenant, s.Tokens, s.Runs, s.Attention);

    /// <summary>Pages of other content mean nothing here, and reading all of a conversation again is the client's decision.</summary>
    /// <exception cref="LServeException">The session was computed with other weights, another head pattern or another form of KV cache.</exception>
    public void CheckContent()
    {
        if (Snapshot is not { Fingerprint.Content: var before } snapshot || environment.Fingerprint is not { Content: var now } || before == now) return;
        throw new LServeException(new(ErrorCode.SessionConflict,
            $"Session {key} was computed with other weights, another head pattern or another form of KV cache (model {snapshot.Model}; here {environment.ModelName}), so its pages can't be used. " +
            $"Serve it as before, or send the turn with \"replay\": true, and its {snapshot.Tokens.Count} tokens are read again.", "replay"));
    }

    /// <summary>Of another model, or from a file, it may have tokens that there are none of here.</summary>
    private void CheckTokens(SessionSnapshot stored)
    {
        foreach (var token in stored.Tokens)
            if (token >= environment.Tokenizer.VocabularySize)
                throw new LServeException(new(ErrorCode.SessionConflict,
                    $"Session {key} was made with model {stored.Model} and has token {token}; {environment.ModelName} has {environment.Tokenizer.VocabularySize}. Serve that model, or use another session."));
    }

    /// <summary>Where the records of the committed turn are after a compaction.</summary>
    private async Task<IReadOnlyDictionary<KvRecordId, KvLocator>> PlacesAsync()
    {
        try
        {
            return (await environment.Store.LoadAsync(key))?.Snapshot.Kv ?? SessionSnapshot.NoRecords;
        }
        catch (SessionStoreException)
        {
            // The turn is committed all the same; the next one writes its pages anew.
            return SessionSnapshot.NoRecords;
        }
    }

    private SessionSnapshot SnapshotAfter(Turn turn, TurnInput input, TurnRunner.Outcome outcome)
    {
        var now = environment.Time.GetUtcNow();
        var answerRole = input.IsChat ? ChatMessage.Assistant : KeptMessage.RawCompletion;
        return new()
        {
            Key = key,
            Model = environment.ModelName,
            Tokens = _sequence!.Tokens.ToArray(),
            Runs = [.. _sequence.Runs],
            Attention = _sequence.Mode,
            Fingerprint = environment.Fingerprint,
            Messages =
            [
                .. Snapshot?.Messages ?? [],
                .. input.NewMessages.Select(m => new KeptMessage(m.Role, m.Content, outcome.PromptEnd)),
                new KeptMessage(answerRole, outcome.Text!, _sequence.Length),
            ],
            Turns = (Snapshot?.Turns ?? 0) + 1,
            LastTurn = new(turn.Id, outcome.Text!, outcome.Reason, outcome.Usage, outcome.Logprobs),
            Created = Snapshot?.Created ?? now,
            LastUsed = now,
        };
    }
}
