using System.CommandLine;
using LServe.Client;
using LServe.Contracts;
using LServe.Sessions;
using LServe.Stores.Local;

namespace LServe.Cli.Sessions;

/// <summary>Finds the sessions a command is about: through the server that has them, or in their folder if none has.</summary>
internal sealed class SessionDoor
{
    private readonly Option<string?> _url = CommonOptions.Url();
    private readonly Option<string?> _folder = new("--session-dir")
    {
        Description = $"Folder of the conversations, whether or not a server has it. Default: the server on the default port, else {LocalStoreOptions.DefaultFolder}", HelpName = "FOLDER",
    };

    public void AddTo(Command command)
    {
        command.Add(_url);
        command.Add(_folder);
    }

    /// <summary>Runs <paramref name="work"/> on the sessions, and closes the door.</summary>
    public async Task RunAsync(ParseResult parsed, Func<ISessionArchive, Task> work, CancellationToken cancellation)
    {
        var archive = await OpenAsync(parsed.GetValue(_url), parsed.GetValue(_folder), cancellation);
        using var closing = (IDisposable)archive;
        await work(archive);
    }

    internal static async Task<ISessionArchive> OpenAsync(string? url, string? folder, CancellationToken cancellation)
    {
        if (url is not null) return CommonOptions.Connect(url);
        if (folder is null && await AnswersAsync(cancellation)) return CommonOptions.Connect(null);
        folder ??= LocalStoreOptions.DefaultFolder;
        if (!Directory.Exists(folder)) throw new UsageException($"No server answers at {LServeClientOptions.DefaultAddress}, and there is no folder {folder}; name one with --url or --session-dir.");
        try
        {
            return new StoredSessions(LocalStore.Open(new() { Folder = folder }));
        }
        catch (SessionStoreException problem) when (problem.Failure == StoreFailure.Unavailable)
        {
            return LocalStore.AddressOf(folder) is { } address ? CommonOptions.Connect(address.AbsoluteUri) : throw new UsageException(problem.Message);
        }
        catch (SessionStoreException problem)
        {
            throw new UsageException(problem.Message);
        }
    }

    private static async Task<bool> AnswersAsync(CancellationToken cancellation)
    {
        using var client = new LServeClient(new LServeClientOptions { RequestTimeout = TimeSpan.FromSeconds(2), ConnectTimeout = TimeSpan.FromSeconds(1), Retry = RetryOptions.None });
        try
        {
            await client.ListModelsAsync(cancellation);
            return true;
        }
        catch (LServeException)
        {
            return false;
        }
    }
}
