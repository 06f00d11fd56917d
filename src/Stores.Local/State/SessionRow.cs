using LServe.Contracts;
using LServe.Sessions;
using Microsoft.Data.Sqlite;

namespace LServe.Stores.Local;

/// <summary>What the database knows of a session without reading its turns; a list needs no more.</summary>
/// <param name="Head">Commit of the last turn: the ETag.</param>
/// <param name="Prefix">Hash of all tokens, runs and messages, by which a save sees whether it only adds to them.</param>
/// <param name="Chain">Checksum of the last turn's row, which continues that of the row before.</param>
internal sealed record SessionRow(
    long Id, string Tenant, string Name, string Model, long Head, int Turns, string? LastTurn, int Tokens, int Runs, int Messages,
    long Prefix, long Chain, DateTimeOffset Created, DateTimeOffset LastUsed)
{
    private const string Columns =
        "id, tenant, name, model, head, turns, last_turn, tokens, runs, messages, prefix, chain, created, last_used, checksum";

    public SessionKey Key => new(Tenant, Name);

    public SessionSummary Summary => new(Key, Model, Tokens, Turns, LastTurn, Created, LastUsed);

    /// <exception cref="SessionStoreException">The row is damaged, or was lost from one of the two trees that should lead to it.</exception>
    public static SessionRow? Find(SqliteTransaction transaction, SessionKey key)
    {
        var id = SessionId.Of(key);
        var found = Sql.Rows(transaction, $"SELECT {Columns} FROM session WHERE id = ?1", Read, id);
        // A damaged tree may not lead to a row that is there. Taking that for "no such session" would begin it anew.
        var named = Sql.Scalar(transaction, "SELECT id FROM session WHERE tenant = ?1 AND name = ?2", key.Tenant, key.Session);
        if (found.Count == 0 && named is null) return null;
        return found is [{ } row] && row.Key == key && named is long other && other == id
            ? row
            : throw new SessionStoreException(StoreFailure.Damaged, $"The record of session {key} is damaged. Other sessions are not concerned.");
    }

    /// <summary>Most recently used first; rows that are damaged are left out.</summary>
    public static IEnumerable<SessionRow> List(SqliteTransaction transaction, string tenant, int limit) =>
        Sql.Rows(transaction, $"SELECT {Columns} FROM session WHERE tenant = ?1 ORDER BY last_used DESC LIMIT ?2", Read, tenant, limit).OfType<SessionRow>();

    /// <summary>Sessions of all tenants that have records of their pages, least recently used first; rows that are damaged are left out.</summary>
    public static List<SessionKey> ListWithPages(SqliteTransaction transaction, int limit) =>
    [
        .. Sql.Rows(transaction, $"SELECT {Columns} FROM session WHERE id IN (SELECT session FROM record) ORDER BY last_used LIMIT ?1", Read, limit)
            .OfType<SessionRow>().Select(row => row.Key),
    ];

    public void Write(SqliteTransaction transaction) => Sql.Run(
        transaction, $"INSERT OR REPLACE INTO session ({Columns}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        Id, Tenant, Name, Model, Head, Turns, LastTurn, Tokens, Runs, Messages, Prefix, Chain, Created.UtcTicks, LastUsed.UtcTicks, Checksum());

    /// <summary>False when there was none.</summary>
    public static bool Remove(SqliteTransaction transaction, long id) => Sql.Run(transaction, "DELETE FROM session WHERE id = ?1", id) > 0;

    /// <summary>Null when the row is damaged.</summary>
    private static SessionRow? Read(SqliteDataReader r)
    {
        try
        {
            var row = new SessionRow(
                r.GetInt64(0), r.GetString(1), r.GetString(2), r.GetString(3), r.GetInt64(4), r.GetInt32(5), r.IsDBNull(6) ? null : r.GetString(6),
                r.GetInt32(7), r.GetInt32(8), r.GetInt32(9), r.GetInt64(10), r.GetInt64(11), new(r.GetInt64(12), TimeSpan.Zero),
                new(r.GetInt64(13), TimeSpan.Zero));
            return row.Checksum() == r.GetInt64(14) ? row : null;
        }
        catch (Exception problem) when (problem is InvalidCastException or InvalidOperationException or ArgumentException or OverflowException or FormatException)
        {
            return null;
        }
    }

    private long Checksum() => new RowChecksum()
        .Add(Id).Add(Tenant).Add(Name).Add(Model).Add(Head).Add(Turns).Add(LastTurn).Add(Tokens).Add(Runs).Add(Messages)
        .Add(Prefix).Add(Chain).Add(Created.UtcTicks).Add(LastUsed.UtcTicks).Of();
}
