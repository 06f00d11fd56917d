using LServe.Sessions;
using Microsoft.Data.Sqlite;

namespace LServe.Stores.Local;

/// <summary>Brings a database from the version it has to the one this program speaks, step by step, all or nothing.</summary>
internal static class Migrations
{
    /// <summary>Step i makes version i + 1 of version i. Released steps never change.</summary>
    private static readonly string[] Steps =
    [
        """
        CREATE TABLE session (
            id INTEGER PRIMARY KEY,
            tenant TEXT NOT NULL, name TEXT NOT NULL, model TEXT NOT NULL,
            head INTEGER NOT NULL, turns INTEGER NOT NULL, last_turn TEXT,
            tokens INTEGER NOT NULL, runs INTEGER NOT NULL, messages INTEGER NOT NULL,
            prefix INTEGER NOT NULL, chain INTEGER NOT NULL,
            created INTEGER NOT NULL, last_used INTEGER NOT NULL,
            checksum INTEGER NOT NULL);
        CREATE UNIQUE INDEX session_by_name ON session (tenant, name);
        CREATE INDEX session_by_use ON session (tenant, last_used);
        CREATE TABLE turn (
            commit_id INTEGER PRIMARY KEY AUTOINCREMENT,
            session INTEGER NOT NULL, turn INTEGER NOT NULL,
            tokens BLOB NOT NULL, body BLOB NOT NULL, chain INTEGER NOT NULL);
        CREATE INDEX turn_by_session ON turn (session, commit_id);
        CREATE TABLE record (
            session INTEGER NOT NULL, kind INTEGER NOT NULL, page INTEGER NOT NULL, born INTEGER NOT NULL, died INTEGER,
            file INTEGER NOT NULL, offset INTEGER NOT NULL, length INTEGER NOT NULL, epoch INTEGER NOT NULL, content INTEGER NOT NULL,
            checksum INTEGER NOT NULL,
            PRIMARY KEY (session, kind, page, born)) WITHOUT ROWID;
        """,
        // Records hold tokens of pages instead of whole pages; sessions are computed again once.
        """
        DROP TABLE record;
        CREATE TABLE record (
            session INTEGER NOT NULL, kind INTEGER NOT NULL, first INTEGER NOT NULL, past INTEGER NOT NULL, born INTEGER NOT NULL, died INTEGER,
            file INTEGER NOT NULL, offset INTEGER NOT NULL, length INTEGER NOT NULL, epoch INTEGER NOT NULL, content INTEGER NOT NULL,
            checksum INTEGER NOT NULL,
            PRIMARY KEY (session, kind, first, past, born)) WITHOUT ROWID;
        """,
        """
        CREATE TABLE partial (session INTEGER PRIMARY KEY, turn TEXT NOT NULL, text TEXT NOT NULL, tokens INTEGER NOT NULL, checksum INTEGER NOT NULL);
        """,
    ];

    /// <exception cref="SessionStoreException">The database is of a later version.</exception>
    public static void Run(SqliteConnection connection)
    {
        using var transaction = connection.BeginTransaction();
        var version = (long)Sql.Scalar(transaction, "PRAGMA user_version")!;
        if (version > Steps.Length)
            throw new SessionStoreException(StoreFailure.TooNew,
                $"the sessions in {connection.DataSource} were written by a later version of this program (format {version}, known up to {Steps.Length}); use that one, or another folder.");
        if (version < 0) throw new SessionStoreException(StoreFailure.Damaged, $"The session database is damaged (its version is {version}).");
        foreach (var step in Steps.Skip((int)version)) Sql.Run(transaction, step);
        Sql.Run(transaction, $"PRAGMA user_version = {Steps.Length}");
        transaction.Commit();
    }
}
