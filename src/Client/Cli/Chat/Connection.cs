using LServe.Client;
using LServe.Contracts;
using LServe.Cpu;

namespace LServe.Cli.Chat;

/// <summary>What a person said about where the model should run.</summary>
internal sealed record ConnectionWish(string? Url, bool Local, string? Model, int Threads, int Context, Activations Activations);

/// <summary>Sessions to talk with: of a server, or of an engine in this process.</summary>
internal sealed class Connection(ISessionClient client, string description, IAsyncDisposable? owned) : IAsyncDisposable
{
    /// <summary>A server on this machine answers sooner, if there is one.</summary>
    private static readonly TimeSpan ProbeTime = TimeSpan.FromSeconds(1);

    public ISessionClient Client => client;
    public string Description => description;

    /// <summary>The server that was named; else one on the default port, unless a wish can only be met in this process.</summary>
    public static async Task<Connection> OpenAsync(ConnectionWish wish, CancellationToken cancellation)
    {
        var isLocal = wish.Local || wish.Model is not null || wish.Threads != 0 || wish.Context != 0;
        if (isLocal && wish.Url is not null) throw new UsageException("--url names a server; --local, --model, --threads and --context run the model here. Choose one.");
        if (isLocal) return OpenLocal(wish);
        var server = CommonOptions.Connect(wish.Url);
        try
        {
            using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            if (wish.Url is null) limited.CancelAfter(ProbeTime);
            var models = await server.ListModelsAsync(limited.Token);
            return new(server, $"{models.FirstOrDefault()?.Id} at {wish.Url ?? LServeClientOptions.DefaultAddress.AbsoluteUri}", new Disposer(server));
        }
        catch (Exception problem) when (wish.Url is null && problem is LServeException or OperationCanceledException && !cancellation.IsCancellationRequested)
        {
            server.Dispose();
            return OpenLocal(wish);
        }
    }

    public ValueTask DisposeAsync() => owned?.DisposeAsync() ?? ValueTask.CompletedTask;

    private static Connection OpenLocal(ConnectionWish wish)
    {
        var local = LocalModel.Open(wish);
        return new(local.Client, local.Description, local);
    }

    private sealed class Disposer(IDisposable owned) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            owned.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
