namespace LServe.Tests.EndToEnd.Readme;

/// <summary>A server with the bundled model, as <c>./lserve serve</c> starts it, for all tests of a class.</summary>
public sealed class ReadmeServer : IAsyncLifetime
{
    private ServerProcess? _server;

    /// <summary>Without a slash at its end.</summary>
    public string Address => _server!.Address.ToString().TrimEnd('/');

    public async Task InitializeAsync() => _server = await ServerProcess.StartAsync();

    public Task DisposeAsync() => _server?.DisposeAsync().AsTask() ?? Task.CompletedTask;
}
