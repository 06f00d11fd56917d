using LServe.Sessions;
using LServe.Stores.Local;

namespace LServe.Silo;

/// <summary>Where this server keeps its sessions.</summary>
internal sealed class SessionFolder : IDisposable
{
    /// <summary>The folder's name that asks for none: sessions end with the process.</summary>
    public const string None = "none";

    /// <summary>Kills this process at a point of <see cref="FaultPoints"/>: <c>pages.sync:3</c> the third time it comes by. For tests of crashes.</summary>
    private const string CrashVariable = "LSERVE_TEST_CRASH_AT";

    private readonly LocalStore? _local;

    private SessionFolder(LocalStore local) : this(local.Sessions, local.Pages) => _local = local;

    private SessionFolder(ISessionStore store, IKvPageStore? pages) => (Store, Pages) = (store, pages);

    public ISessionStore Store { get; }

    /// <summary>Null when sessions stay in memory: what ends with the process needs no second copy.</summary>
    public IKvPageStore? Pages { get; }

    public static string Default => LocalStoreOptions.DefaultFolder;

    /// <summary>Notes where this server listens, for commands that find the folder taken.</summary>
    public void Announce(Uri address) => _local?.Announce(address);

    /// <exception cref="StartException">The folder can't be used, another process has it, or the shared store can't be reached.</exception>
    public static async Task<SessionFolder> OpenAsync(SiloOptions options)
    {
        if (options.Store is not null)
        {
            if (options.SessionFolder is not (null or None) || options.SessionFolderMax > 0)
                throw new StartException("--store keeps conversations elsewhere than in a folder; leave out --session-dir and --session-dir-max, or --store.");
            var (sessions, pages) = await SharedStore.OpenAsync(options);
            return new(sessions, pages);
        }
        return options.SessionFolder == None ? new(new InMemorySessionStore(), null) : Open(options);
    }

    private static SessionFolder Open(SiloOptions options)
    {
        try
        {
            var store = LocalStore.Open(new()
            {
                Folder = options.SessionFolder ?? Default,
                KeepTurns = options.KeepTurns,
                MaxPageBytes = options.SessionFolderMax == 0 ? long.MaxValue : (long)options.SessionFolderMax << 30,
                AtPoint = Environment.GetEnvironmentVariable(CrashVariable) is { Length: > 0 } point ? CrashPoint.Parse(point).Pass : null,
            });
            foreach (var note in store.Notes) Console.Error.WriteLine($"lserve serve: {note}");
            return new(store);
        }
        catch (SessionStoreException problem)
        {
            throw new StartException($"{problem.Message} (--session-dir FOLDER names one; --session-dir {None} keeps sessions in memory.)", problem);
        }
    }

    public void Dispose() => _local?.Dispose();
}
