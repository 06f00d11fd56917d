using System.Globalization;
using LServe.Contracts;
using LServe.Sessions;
using Microsoft.Data.Sqlite;

namespace LServe.Stores.Local;

/// <summary>
/// Sessions in a SQLite database. A turn adds a row with what is new, so that written bytes grow with the turn and not with the
/// conversation. SQLite has no checksums: every row carries one, and each turn's continues the one before.
/// </summary>
internal sealed class SqliteSessionStore(StateDatabase database, int keepTurns) : ISessionStore
{
    public async ValueTask<StoredSession?> LoadAsync(SessionKey key, CancellationToken cancellation = default)
    {
        CheckLost(key);
        return await database.ReadAsync(transaction => Load(transaction, key), cancellation);
    }

    public async ValueTask<StoredSession?> LoadTurnAsync(SessionKey key, int turn, CancellationToken cancellation = default) =>
        await database.ReadAsync(transaction => LoadTurn(transaction, key, turn)?.Session, cancellation);

    public async ValueTask<string> SaveAsync(SessionSnapshot snapshot, string? expectedETag, CancellationToken cancellation = default)
    {
        CheckLost(snapshot.Key);
        return await database.WriteAsync(transaction => Save(transaction, snapshot, expectedETag), cancellation);
    }

    public async ValueTask<StoredSession?> RewindAsync(SessionKey key, int turn, string? expectedETag, CancellationToken cancellation = default)
    {
        var rewound = await database.WriteAsync(transaction => Rewind(transaction, key, turn, expectedETag), cancellation);
        if (rewound is not null) database.Lost.TryRemove(key, out _);
        return rewound;
    }

    public async ValueTask<IReadOnlyList<KeyValuePair<KvRecordId, KvLocator>>> ListRecordsAsync(SessionKey key, CancellationToken cancellation = default) =>
        await database.ReadAsync(
            transaction => RecordRows.ReadAll(transaction, SessionId.Of(key)).Select(row => KeyValuePair.Create(row.Id, row.Locator)).ToArray(), cancellation);

    public async ValueTask MoveRecordsAsync(SessionKey key, IReadOnlyDictionary<KvLocator, KvLocator?> moved, CancellationToken cancellation = default) =>
        await database.WriteAsync(transaction => (RecordRows.Move(transaction, SessionId.Of(key), moved), (JournalEntry?)null), cancellation);

    public async ValueTask NoteAsync(SessionKey key, InterruptedAnswer? answer, CancellationToken cancellation = default) => await database.WriteAsync(transaction =>
    {
        if (answer is null) PartialRow.Remove(transaction, key);
        else PartialRow.Write(transaction, key, answer);
        return (true, (JournalEntry?)null);
    }, cancellation);

    public async ValueTask<InterruptedAnswer?> LoadNoteAsync(SessionKey key, CancellationToken cancellation = default) =>
        await database.ReadAsync(transaction => PartialRow.Read(transaction, key), cancellation);

    public async ValueTask<bool> DeleteAsync(SessionKey key, CancellationToken cancellation = default)
    {
        var found = await database.WriteAsync(transaction => Delete(transaction, key), cancellation);
        return database.Lost.TryRemove(key, out _) || found;
    }

    public async ValueTask<IReadOnlyList<SessionSummary>> ListAsync(string tenant, int limit, CancellationToken cancellation = default) =>
        await database.ReadAsync(transaction => SessionRow.List(transaction, tenant, limit).Select(row => row.Summary).ToArray(), cancellation);

    private static StoredSession? Load(SqliteTransaction transaction, SessionKey key)
    {
        if (SessionRow.Find(transaction, key) is not { } row) return null;
        var fold = new TurnFold(key, row.Id);
        foreach (var turn in TurnRows.Read(transaction, row.Id)) fold.Add(turn);
        if ((fold.Commit, fold.Chain) != (row.Head, row.Chain)) throw fold.Damaged();
        return new(fold.ToSnapshot(RecordRows.Read(transaction, row.Id, row.Head)), ETagOf(row.Head));
    }

    /// <summary>Reads no further than the turn that is asked for, so that what was damaged since can be left behind.</summary>
    private static (StoredSession Session, TurnFold Fold, SessionRow Row)? LoadTurn(SqliteTransaction transaction, SessionKey key, int turn)
    {
        if (SessionRow.Find(transaction, key) is not { } row) return null;
        var rows = TurnRows.Read(transaction, row.Id);
        var last = rows.FindLastIndex(r => r.Turn == turn);
        if (last < 0) return null;
        var fold = new TurnFold(key, row.Id);
        for (var i = 0; i <= last; i++) fold.Add(rows[i]);
        return (new(fold.ToSnapshot(RecordRows.Read(transaction, row.Id, fold.Commit)), ETagOf(fold.Commit)), fold, row);
    }

    private (string, JournalEntry?) Save(SqliteTransaction transaction, SessionSnapshot snapshot, string? expectedETag)
    {
        var before = SessionRow.Find(transaction, snapshot.Key);
        if ((before is null ? null : ETagOf(before.Head)) != expectedETag) throw new SessionStoreConflictException(snapshot.Key);
        var id = SessionId.Of(snapshot.Key);
        var extends = before is not null && Extends(snapshot, before);
        if (!extends) TurnRows.RemoveAll(transaction, id);
        var body = extends ? TurnBody.Of(snapshot, before!.Tokens, before.Runs, before.Messages) : TurnBody.Of(snapshot, 0, 0, 0);
        var turn = TurnRows.Add(transaction, id, extends ? before!.Chain : 0, body, SessionPrefix.AsSpan(snapshot.Tokens)[body.TokensBefore..]);
        var after = RowOf(snapshot, id, turn.Commit, turn.Chain);
        after.Write(transaction);
        RecordRows.Change(transaction, id, turn.Commit, before is null ? [] : RecordRows.Read(transaction, id, before.Head), snapshot.Kv);
        PartialRow.Remove(transaction, snapshot.Key);
        RecordRows.Forget(transaction, id, TurnRows.CommitOf(transaction, id, keepTurns - 1));
        return (ETagOf(turn.Commit), new(JournalKind.Save, snapshot.Key, SessionState.Of(before), after, turn, Replaces: !extends));
    }

    private static (StoredSession?, JournalEntry?) Rewind(SqliteTransaction transaction, SessionKey key, int turn, string? expectedETag)
    {
        var current = SessionRow.Find(transaction, key);
        if (expectedETag is not null && (current is null || ETagOf(current.Head) != expectedETag)) throw new SessionStoreConflictException(key);
        if (LoadTurn(transaction, key, turn) is not ({ } session, { } fold, { } row)) return (null, null);
        TurnRows.RemoveAfter(transaction, row.Id, fold.Commit);
        RecordRows.Rewind(transaction, row.Id, fold.Commit);
        PartialRow.Remove(transaction, key);
        var after = RowOf(session.Snapshot, row.Id, fold.Commit, fold.Chain);
        after.Write(transaction);
        return (session, new(JournalKind.Rewind, key, SessionState.Of(row), after));
    }

    private static (bool, JournalEntry?) Delete(SqliteTransaction transaction, SessionKey key)
    {
        var (id, before) = (SessionId.Of(key), StateOf(transaction, key));
        TurnRows.RemoveAll(transaction, id);
        RecordRows.RemoveAll(transaction, id);
        var noted = PartialRow.Remove(transaction, key);
        return SessionRow.Remove(transaction, id) ? (true, new(JournalKind.Delete, key, before, null)) : (noted, null);
    }

    private static SessionState StateOf(SqliteTransaction transaction, SessionKey key)
    {
        try
        {
            return SessionState.Of(SessionRow.Find(transaction, key));
        }
        catch (SessionStoreException)
        {
            // What is damaged can be deleted all the same.
            return default;
        }
    }

    /// <exception cref="SessionStoreException">Turns of the session were lost.</exception>
    private void CheckLost(SessionKey key)
    {
        if (database.Lost.TryGetValue(key, out var message)) throw new SessionStoreException(StoreFailure.Damaged, message);
    }

    private static bool Extends(SessionSnapshot snapshot, SessionRow before) =>
        snapshot.Tokens.Count >= before.Tokens && snapshot.Runs.Count >= before.Runs && snapshot.Messages.Count >= before.Messages
        && SessionPrefix.Of(snapshot, before.Tokens, before.Runs, before.Messages) == before.Prefix;

    private static SessionRow RowOf(SessionSnapshot s, long id, long commit, long chain) => new(
        id, s.Key.Tenant, s.Key.Session, s.Model, commit, s.Turns, s.LastTurn?.TurnId, s.Tokens.Count, s.Runs.Count, s.Messages.Count,
        SessionPrefix.Of(s, s.Tokens.Count, s.Runs.Count, s.Messages.Count), chain, s.Created, s.LastUsed);

    private static string ETagOf(long commit) => commit.ToString(CultureInfo.InvariantCulture);
}
