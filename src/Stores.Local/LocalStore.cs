using LServe.Sessions;

namespace LServe.Stores.Local;

/// <summary>
/// Sessions in a folder of this machine: their state in a SQLite database, the records of their KV caches in append-only files. The
/// database is the only truth: bytes of a page file that it doesn't name are garbage.
/// </summary>
/// <remarks>
/// <code>
/// FOLDER/lock             held by the process that has the folder
/// FOLDER/address          where that process is to be reached
/// FOLDER/sessions.db      state; sessions.db-wal and -shm belong to it
/// FOLDER/commits.log      the last commits once more, against damage to sessions.db-wal
/// FOLDER/pages/XX/ID-N.kv records of the session whose key hashes to ID, its Nth file
/// </code>
/// </remarks>
public sealed class LocalStore : IDisposable
{
    private const string AddressFile = "address";

    private readonly FolderLock _lock;
    private readonly StateDatabase _database;

    private LocalStore(LocalStoreOptions options, IStoreFiles files, FolderLock folderLock)
    {
        _lock = folderLock;
        Folder = options.Folder;
        _database = StateDatabase.Open(Path.Combine(options.Folder, "sessions.db"), Path.Combine(options.Folder, "commits.log"), files);
        Sessions = new SqliteSessionStore(_database, options.KeepTurns);
        var pages = new LocalKvPageStore(Directory.CreateDirectory(Path.Combine(options.Folder, "pages")).FullName, files);
        Pages = options.MaxPageBytes == long.MaxValue ? pages : new LimitedPageStore(pages, _database, options.MaxPageBytes);
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

    /// <summary>Notes where the process that has the folder is to be reached.</summary>
    public void Announce(Uri address) => File.WriteAllText(Path.Combine(Folder, AddressFile), address.AbsoluteUri);

    /// <summary>Where the process that has a folder said it is to be reached; null: it didn't.</summary>
    public static Uri? AddressOf(string folder)
    {
        var path = Path.Combine(folder, AddressFile);
        return File.Exists(path) && Uri.TryCreate(File.ReadAllText(path), UriKind.Absolute, out var address) ? address : null;
    }

    public void Dispose()
    {
        File.Delete(Path.Combine(Folder, AddressFile));
        (Pages as IDisposable)?.Dispose();
        _database.Dispose();
        _lock.Dispose();
    }
}
