using LServe.Sessions;
using Microsoft.Data.Sqlite;

namespace LServe.Stores.Local;

/// <summary>
/// Where the records of sessions' KV caches are: a row says from which commit (<c>born</c>) until before which (<c>died</c>) a record
/// belongs to its session. A row that is damaged is as good as missing, since whatever it leads to can be computed again.
/// </summary>
internal static class RecordRows
{
    private const string Columns = "session, kind, first, past, born, died, file, offset, length, epoch, content, checksum";

    /// <summary>The records that went with the session's state as of a commit.</summary>
    public static Dictionary<KvRecordId, KvLocator> Read(SqliteTransaction transaction, long session, long commit)
    {
        var found = new Dictionary<KvRecordId, KvLocator>();
        foreach (var row in Sql.Rows(
            transaction, $"SELECT {Columns} FROM record WHERE session = ?1 AND born <= ?2 AND (died IS NULL OR died > ?2)", RecordRow.Read, session, commit))
            if (row is { } intact)
                found[intact.Id] = intact.Locator;
        return found;
    }

    /// <summary>All that the session's file must keep.</summary>
    public static List<RecordRow> ReadAll(SqliteTransaction transaction, long session) =>
        [.. Sql.Rows(transaction, $"SELECT {Columns} FROM record WHERE session = ?1", RecordRow.Read, session).OfType<RecordRow>()];

    /// <summary>Makes <paramref name="now"/> what belongs to the session from <paramref name="commit"/> on; rows that stay are not touched.</summary>
    public static void Change(
        SqliteTransaction transaction, long session, long commit, Dictionary<KvRecordId, KvLocator> before, IReadOnlyDictionary<KvRecordId, KvLocator> now)
    {
        foreach (var (id, locator) in before)
            if (!now.TryGetValue(id, out var next) || next != locator)
                Bury(transaction, session, id, commit);
        foreach (var (id, locator) in now)
            if (!before.TryGetValue(id, out var last) || last != locator)
                new RecordRow(session, id, commit, null, locator).Write(transaction);
    }

    /// <summary>Undoes whatever came after a commit.</summary>
    public static void Rewind(SqliteTransaction transaction, long session, long commit)
    {
        Sql.Run(transaction, "DELETE FROM record WHERE session = ?1 AND born > ?2", session, commit);
        foreach (var row in ReadAll(transaction, session).Where(row => row.Died > commit)) (row with { Died = null }).Write(transaction);
    }

    /// <summary>Drops what no commit from <paramref name="oldest"/> on has.</summary>
    public static void Forget(SqliteTransaction transaction, long session, long oldest) =>
        Sql.Run(transaction, "DELETE FROM record WHERE session = ?1 AND died <= ?2", session, oldest);

    /// <summary>How many records are at a new place.</summary>
    public static int Move(SqliteTransaction transaction, long session, IReadOnlyDictionary<KvLocator, KvLocator?> moved)
    {
        var rows = ReadAll(transaction, session);
        RemoveAll(transaction, session);
        foreach (var row in rows)
            if (!moved.TryGetValue(row.Locator, out var place)) row.Write(transaction);
            else if (place is { } there) (row with { Locator = there }).Write(transaction);
        return rows.Count;
    }

    public static int RemoveAll(SqliteTransaction transaction, long session) => Sql.Run(transaction, "DELETE FROM record WHERE session = ?1", session);

    private static void Bury(SqliteTransaction transaction, long session, KvRecordId id, long commit)
    {
        foreach (var row in Sql.Rows(
            transaction, $"SELECT {Columns} FROM record WHERE session = ?1 AND kind = ?2 AND first = ?3 AND past = ?4 AND died IS NULL", RecordRow.Read,
            session, (int)id.Kind, id.First, id.End))
            (row! with { Died = commit }).Write(transaction);
    }
}
