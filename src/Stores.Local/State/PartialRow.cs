using LServe.Contracts;
using LServe.Sessions;
using Microsoft.Data.Sqlite;

namespace LServe.Stores.Local;

/// <summary>The answer that a session was giving when it was noted last: at most one, gone with the next commit.</summary>
internal static class PartialRow
{
    public static void Write(SqliteTransaction transaction, SessionKey key, InterruptedAnswer partial) => Sql.Run(
        transaction, "INSERT OR REPLACE INTO partial VALUES (?1, ?2, ?3, ?4, ?5)",
        SessionId.Of(key), partial.TurnId, partial.Text, partial.Tokens, Checksum(key, partial));

    /// <summary>Null when there is none, or it is damaged.</summary>
    public static InterruptedAnswer? Read(SqliteTransaction transaction, SessionKey key)
    {
        var found = Sql.Rows(
            transaction, "SELECT turn, text, tokens, checksum FROM partial WHERE session = ?1",
            r => (Answer: new InterruptedAnswer(r.GetString(0), r.GetString(1), r.GetInt32(2)), Checksum: r.GetInt64(3)), SessionId.Of(key));
        return found is [var one] && one.Checksum == Checksum(key, one.Answer) ? one.Answer : null;
    }

    /// <summary>False when there was none.</summary>
    public static bool Remove(SqliteTransaction transaction, SessionKey key) =>
        Sql.Run(transaction, "DELETE FROM partial WHERE session = ?1", SessionId.Of(key)) > 0;

    private static long Checksum(SessionKey key, InterruptedAnswer partial) =>
        new RowChecksum().Add(key.ToString()).Add(partial.TurnId).Add(partial.Text).Add(partial.Tokens).Of();
}
