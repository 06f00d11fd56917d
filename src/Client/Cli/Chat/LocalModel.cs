using LServe.Cli.Terminal;
using LServe.Client;
using LServe.Cpu;
using LServe.Embedded;
using LServe.Inference;
using LServe.Model;
using LServe.Sessions;

namespace LServe.Cli.Chat;

/// <summary>A model, an engine and a session host in this process.</summary>
internal sealed class LocalModel : IAsyncDisposable
{
    private readonly ModelFile _model;
    private readonly Engine _engine;
    private readonly EmbeddedSessionHost _host;

    private LocalModel(ModelFile model, Engine engine)
    {
        (_model, _engine) = (model, engine);
        _host = new EmbeddedSessionHost(SessionEnvironment.For(model, engine, new InMemorySessionStore()));
        Client = new HostClient(_host);
    }

    public ISessionClient Client { get; }
    public string Description => $"{_model.Config.Name} in this process · {_engine.Backend.Name}";

    public static LocalModel Open(ConnectionWish wish)
    {
        using var progress = new ProgressLine("loading the model");
        var model = ModelFile.Open(BundledModel.Resolve(wish.Model));
        var backend = new CpuBackend(new CpuOptions { Threads = wish.Threads, Activations = wish.Activations });
        var engine = new Engine(backend, model.Config, model.Weights, model.Tokenizer.EndTokens, new EngineOptions { ContextLength = wish.Context }, progress);
        return new LocalModel(model, engine);
    }

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        _engine.Dispose();
        _model.Dispose();
    }
}
