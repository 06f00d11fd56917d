using LServe.Sessions;
using Microsoft.Data.Sqlite;

namespace LServe.Stores.Local;

/// <summary>
/// The database file: one connection that writes, one that reads. A transaction that has committed is on the medium (WAL,
/// <c>synchronous=FULL</c>). What SQLite reports becomes a <see cref="SessionStoreException"/>. Thread-safe.
/// </summary>
internal sealed class StateDatabase : IDisposable
{
    private const string Settings =
        """
        PRAGMA journal_mode = WAL;
        PRAGMA synchronous = FULL;
        PRAGMA cell_size_check = ON;
        PRAGMA trusted_schema = OFF;
        PRAGMA busy_timeout = 5000;
        """;

    private readonly IStoreFiles _files;
    private readonly SqliteConnection _writer, _reader;
    private readonly SemaphoreSlim _writing = new(1), _reading = new(1);

    private StateDatabase(IStoreFiles files, SqliteConnection writer, SqliteConnection reader) => (_files, _writer, _reader) = (files, writer, reader);

    /// <exception cref="SessionStoreException">The file is no database, damaged, or of a later version.</exception>
    public static StateDatabase Open(string path, IStoreFiles files) => StoreFailures.Translate(() =>
    {
        var writer = Connect(path);
        try
        {
            Migrations.Run(writer);
            return new StateDatabase(files, writer, Connect(path));
        }
        catch
        {
            writer.Dispose();
            throw;
        }
    });

    /// <summary>Runs <paramref name="read"/> on one consistent state.</summary>
    public Task<T> ReadAsync<T>(Func<SqliteTransaction, T> read, CancellationToken cancellation) => RunAsync(_reading, () =>
    {
        using var transaction = _reader.BeginTransaction(deferred: true);
        return read(transaction);
    }, cancellation);

    /// <summary>Runs <paramref name="write"/> and commits what it did, or nothing of it if it throws.</summary>
    public Task<T> WriteAsync<T>(Func<SqliteTransaction, T> write, CancellationToken cancellation) => RunAsync(_writing, () =>
    {
        _files.Pass(FaultPoints.StateBegin);
        using var transaction = _writer.BeginTransaction();
        var result = write(transaction);
        _files.Pass(FaultPoints.StateCommit);
        transaction.Commit();
        _files.Pass(FaultPoints.StateCommitted);
        return result;
    }, cancellation);

    public void Dispose()
    {
        _reader.Dispose();
        _writer.Dispose();
    }

    private static async Task<T> RunAsync<T>(SemaphoreSlim turn, Func<T> work, CancellationToken cancellation)
    {
        await turn.WaitAsync(cancellation);
        try
        {
            // Off the caller's thread: SQLite waits for the disk where it is called.
            return await Task.Run(() => StoreFailures.Translate(work), CancellationToken.None);
        }
        finally
        {
            turn.Release();
        }
    }

    private static SqliteConnection Connect(string path)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ToString());
        try
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = Settings;
            command.ExecuteNonQuery();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }
}
