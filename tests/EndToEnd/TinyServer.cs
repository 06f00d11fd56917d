using LServe.Tests.Support;

namespace LServe.Tests.EndToEnd;

/// <summary>One server with the tiny random model, shared by the tests that only talk to it.</summary>
public sealed class TinyServer : IAsyncLifetime
{
    /// <summary>Its window is so long that an answer without an end is still there for whoever wants to stop it.</summary>
    private readonly TemporaryFile _model = new(TinyModel.Bytes(new() { ContextLength = 16_384 }));
    private ServerProcess? _server;

    public Uri Address => Server.Address;

    public HttpClient Http => Server.Http;

    private ServerProcess Server => _server ?? throw new InvalidOperationException("The server hasn't started.");

    public async Task InitializeAsync()
    {
        _server = await ServerProcess.StartAsync("--model", _model.Path, "--threads", "1");
    }

    public async Task DisposeAsync()
    {
        if (_server is not null)
            await _server.DisposeAsync();
        _model.Dispose();
    }
}
