using System.Runtime.InteropServices;
using LServe.Sessions;
using Microsoft.Data.Sqlite;

namespace LServe.Stores.Local;

/// <summary>A turn as it lies in the database.</summary>
/// <param name="Tokens">The token ids it added, 4 bytes each, little-endian.</param>
/// <param name="Chain">Checksum of this row, seeded with that of the session's row before it: a lost row breaks the chain, too.</param>
internal readonly record struct TurnRow(long Commit, int Turn, byte[] Tokens, byte[] Body, long Chain);

/// <summary>The turns of sessions. Rows are added and, when a session is rewound or deleted, removed; never changed.</summary>
internal static class TurnRows
{
    /// <summary>In order of commit.</summary>
    public static List<TurnRow> Read(SqliteTransaction transaction, long session) => Sql.Rows(
        transaction, "SELECT commit_id, turn, tokens, body, chain FROM turn WHERE session = ?1 ORDER BY commit_id",
        r => new TurnRow(r.GetInt64(0), r.GetInt32(1), (byte[])r.GetValue(2), (byte[])r.GetValue(3), r.GetInt64(4)), session);

    /// <summary>Adds a row, with its commit and its place in the chain.</summary>
    public static TurnRow Add(SqliteTransaction transaction, long session, long before, TurnBody body, ReadOnlySpan<int> tokens)
    {
        var (tokenBytes, bodyBytes) = (MemoryMarshal.AsBytes(tokens).ToArray(), body.Write());
        var commit = (long)Sql.Scalar(
            transaction, "INSERT INTO turn (session, turn, tokens, body, chain) VALUES (?1, ?2, ?3, ?4, 0) RETURNING commit_id",
            session, body.Turns, tokenBytes, bodyBytes)!;
        var row = new TurnRow(commit, body.Turns, tokenBytes, bodyBytes, 0);
        row = row with { Chain = Link(before, session, row) };
        Sql.Run(transaction, "UPDATE turn SET chain = ?1 WHERE commit_id = ?2", row.Chain, commit);
        return row;
    }

    /// <summary>Adds a row as it was.</summary>
    public static void Put(SqliteTransaction transaction, long session, in TurnRow row) => Sql.Run(
        transaction, "INSERT INTO turn (commit_id, session, turn, tokens, body, chain) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        row.Commit, session, row.Turn, row.Tokens, row.Body, row.Chain);

    public static void RemoveAll(SqliteTransaction transaction, long session) => Sql.Run(transaction, "DELETE FROM turn WHERE session = ?1", session);

    public static void RemoveAfter(SqliteTransaction transaction, long session, long commit) =>
        Sql.Run(transaction, "DELETE FROM turn WHERE session = ?1 AND commit_id > ?2", session, commit);

    /// <summary>The commit of the session's turn that is <paramref name="back"/> before its last, or of its first.</summary>
    public static long CommitOf(SqliteTransaction transaction, long session, int back) => (long)(Sql.Scalar(
        transaction,
        "SELECT min(commit_id) FROM (SELECT commit_id FROM turn WHERE session = ?1 ORDER BY commit_id DESC LIMIT ?2)", session, back + 1)
        ?? throw new InvalidOperationException("A session has no turns."));

    public static long Link(long before, long session, in TurnRow row) =>
        new RowChecksum().Add(session).Add(row.Commit).Add(row.Turn).Add(row.Tokens).Add(row.Body).Of(before);
}
