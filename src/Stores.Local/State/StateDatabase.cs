using System.Collections.Concurrent;
using LServe.Contracts;
using LServe.Sessions;
using Microsoft.Data.Sqlite;

namespace LServe.Stores.Local;

/// <summary>
/// The database file: one connection that writes, one that reads. A transaction that has committed is on the medium twice, in SQLite's
/// log (WAL, <c>synchronous=FULL</c>) and in a <see cref="CommitJournal"/>. What SQLite reports becomes a <see cref="SessionStoreException"/>. Thread-safe.
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

    /// <summary>Writes of one transaction.</summary>
    private const int MaxTogether = 64;

    private readonly IStoreFiles _files;
    private readonly CommitJournal _journal;
    private readonly Queue<PendingWrite> _pending = [];
    private readonly SqliteConnection _writer, _reader;
    private readonly SemaphoreSlim _writing = new(1), _reading = new(1);

    private StateDatabase(IStoreFiles files, CommitJournal journal, SqliteConnection writer, SqliteConnection reader) =>
        (_files, _journal, _writer, _reader) = (files, journal, writer, reader);

    /// <summary>What was missing from the database and was put back when it was opened, in words.</summary>
    public IReadOnlyList<string> Notes { get; private set; } = [];

    /// <summary>Sessions of which turns were lost and couldn't be put back, until they are rewound or deleted, with what to say of them.</summary>
    public ConcurrentDictionary<SessionKey, string> Lost { get; } = new();

    /// <exception cref="SessionStoreException">The file is no database, damaged, or of a later version.</exception>
    public static StateDatabase Open(string path, string journal, IStoreFiles files) => StoreFailures.Translate(() =>
    {
        var opened = new Stack<IDisposable>();
        try
        {
            var writer = Connect(path);
            opened.Push(writer);
            Migrations.Run(writer);
            var commits = new CommitJournal(journal, files);
            opened.Push(commits);
            var database = new StateDatabase(files, commits, writer, Connect(path));
            opened.Push(database);
            database.Recover();
            return database;
        }
        catch
        {
            while (opened.TryPop(out var open)) open.Dispose();
            throw;
        }
    });

    /// <summary>Runs <paramref name="read"/> on one consistent state.</summary>
    public Task<T> ReadAsync<T>(Func<SqliteTransaction, T> read, CancellationToken cancellation) => RunAsync(_reading, () =>
    {
        using var transaction = _reader.BeginTransaction(deferred: true);
        return read(transaction);
    }, cancellation);

    /// <summary>
    /// Runs <paramref name="write"/> and commits what it did, or nothing of it if it throws. Writes that come while another one waits for
    /// the disk are committed together after it, so that conversations that end their turns at once wait for the disk once.
    /// </summary>
    /// <param name="write">Its result, and what to note in the journal.</param>
    public async Task<T> WriteAsync<T>(Func<SqliteTransaction, (T Result, JournalEntry? Entry)> write, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var own = new PendingWrite<T>(write);
        lock (_pending) _pending.Enqueue(own);
        await RunAsync(_writing, () =>
        {
            while (!own.Done.IsCompleted) CommitTogether(TakePending());
            return true;
        }, CancellationToken.None);
        return await own.Done;
    }

    public void Dispose()
    {
        _reader.Dispose();
        _writer.Dispose();
        _journal.Dispose();
    }

    private List<PendingWrite> TakePending()
    {
        lock (_pending)
        {
            var taken = new List<PendingWrite>();
            while (taken.Count < MaxTogether && _pending.TryDequeue(out var next)) taken.Add(next);
            return taken;
        }
    }

    private void CommitTogether(List<PendingWrite> writes)
    {
        try
        {
            var committed = StoreFailures.Translate(() => Commit(writes));
            foreach (var write in committed) write.Succeed();
        }
        catch (Exception problem)
        {
            // Those that failed by themselves know already.
            foreach (var write in writes) write.Fail(problem);
        }
    }

    private List<PendingWrite> Commit(List<PendingWrite> writes)
    {
        _files.Pass(FaultPoints.StateBegin);
        using (var transaction = _writer.BeginTransaction())
        {
            var (good, entries) = RunEach(writes, transaction);
            var before = _journal.Length;
            try
            {
                _journal.Append(entries);
                _files.Pass(FaultPoints.StateCommit);
                transaction.Commit();
                writes = good;
            }
            catch
            {
                // Whoever asked is told that it failed, so that it must not be done at the next start.
                if (entries.Count > 0) _journal.CutTo(before);
                throw;
            }
        }
        _files.Pass(FaultPoints.StateCommitted);
        if (_journal.Length > CommitJournal.MaxBytes) EmptyJournal();
        return writes;
    }

    /// <summary>One that throws undoes what it did, and leaves the others theirs.</summary>
    private static (List<PendingWrite> Good, List<JournalEntry> Entries) RunEach(List<PendingWrite> writes, SqliteTransaction transaction)
    {
        const string savepoint = "write";
        var (good, entries) = (new List<PendingWrite>(writes.Count), new List<JournalEntry>(writes.Count));
        foreach (var write in writes)
        {
            transaction.Save(savepoint);
            try
            {
                if (StoreFailures.Translate(() => write.Run(transaction)) is { } entry) entries.Add(entry);
                good.Add(write);
            }
            catch (Exception problem)
            {
                transaction.Rollback(savepoint);
                write.Fail(problem);
            }
            transaction.Release(savepoint);
        }
        return (good, entries);
    }

    private void Recover()
    {
        if (_journal.Read() is { } entries) Notes = JournalReplay.Run(_writer, entries, Lost);
        if (Lost.IsEmpty) EmptyJournal();
    }

    /// <summary>Folds SQLite's log into the database, after which the journal isn't needed; nothing happens while somebody reads from the log.</summary>
    private void EmptyJournal()
    {
        using var command = _writer.CreateCommand();
        command.CommandText = "PRAGMA wal_checkpoint(TRUNCATE)";
        const long done = 0;
        if (command.ExecuteScalar() is done) _journal.Empty();
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
