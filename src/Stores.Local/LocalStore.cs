using LServe.Sessions;

namespace LServe.Stores.Local;

/// <summary>
/// Sessions in a folder of this machine: their state in a SQLite database, the records of their KV caches in append-only files. The
/// database is the only truth: bytes of a page file that it doesn't name are garbage.
/// </summary>
/// <remarks>
/// <code>
/// FOLDER/lock             held by the process that has the folder
/// FOLDER/sessions.db      state; sessions.db-wal and -shm belong to it
/// FOLDER/commits.log      the last commits once more, against damage to sessions.db-wal
/// FOLDER/pages/XX/ID-N.kv records of the session whose key hashes to ID, its Nth file
/// </code>
/// </remarks>
public sealed class LocalStore : IDisposable
{
    private readonly FolderLock _lock;
    private readonly StateDatabase _database;

    private LocalStore(LocalStoreOptions options, IStoreFiles files, FolderLock folderLock)
    {
        _lock = folderLock;
        Folder = options.Folder;
        _database = StateDatabase.Open(Path.Combine(options.Folder, "sessions.db"), Path.Combine(options.Folder, "commits.log"), files);
        Sessions = new SqliteSessionStore(_database, options.KeepTurns);
        Pages = new LocalKvPageStore(Directory.CreateDirectory(Path.Combine(options.Folder, "pages")).FullName, files);
    }

    public string Folder { get; }
    public ISessionStore Sessions { get; }
    public IKvPageStore Pages { get; }

    /// <summary>What was missing from the database and was put back when it was opened, in words.</summary>
    public IReadOnlyList<string> Notes => _database.Notes;

    /// <exception cref="SessionStoreException">Another process has the folder, it can't be written, or the database can't be used.</exception>
    public static LocalStore Open(LocalStoreOptions options) => Open(options, new DiskFiles(options.AtPoint));

    internal static LocalStore Open(LocalStoreOptions options, IStoreFiles files)
    {
        var taken = FolderLock.Take(options.Folder);
        try
        {
            return new(options, files, taken);
        }
        catch
        {
            taken.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        _database.Dispose();
        _lock.Dispose();
    }
}
