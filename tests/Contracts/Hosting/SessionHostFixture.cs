using LServe.Inference;
using LServe.Model;
using LServe.Sessions;
using LServe.Tests.Support;

namespace LServe.Tests.Contracts;

/// <summary>A host under test, shared by the tests of a class; each test has a tenant of its own.</summary>
public abstract class SessionHostFixture : IAsyncLifetime
{
    private readonly TemporaryFile _file;
    private readonly List<Engine> _engines = [];

    protected SessionHostFixture()
    {
        _file = new(TinyModel.Bytes());
        Model = ModelFile.Open(_file.Path);
    }

    public StepGate Gate { get; } = new();
    public ModelFile Model { get; }

    /// <summary>Turns that may wait in one session.</summary>
    public SessionLimits Limits { get; } = new() { MaxWaitingTurns = 2 };

    public abstract ISessionHost Host { get; }

    /// <summary>KV pages in use, on all engines of the host.</summary>
    public int PagesUsed => _engines.Sum(e => e.Statistics.PagesUsed);

    /// <summary>Tokens drawn, on all engines of the host.</summary>
    public long GeneratedTokens => _engines.Sum(e => e.Statistics.GeneratedTokens);

    protected virtual ISessionStore Store { get; } = new InMemorySessionStore();

    protected virtual IKvPageStore? Pages => null;

    public abstract Task InitializeAsync();

    public async Task DisposeAsync()
    {
        await StopAsync();
        foreach (var engine in _engines) engine.Dispose();
        Model.Dispose();
        _file.Dispose();
    }

    /// <summary>Has the host take from memory every session that it may; those in use must survive it.</summary>
    public abstract Task EvictIdleAsync();

    /// <summary>Lets the host's clock move on, if it doesn't by itself.</summary>
    public virtual Task PassTimeAsync() => Task.CompletedTask;

    protected abstract Task StopAsync();

    protected virtual IBackend CreateBackend() => new FakeBackend();

    /// <summary>A new engine with the store that all have in common.</summary>
    protected SessionEnvironment CreateEnvironment(TimeProvider? time = null)
    {
        var options = new EngineOptions { KvTokens = 16 * Model.Config.ContextLength };
        var engine = new Engine(new GatedBackend(CreateBackend(), Gate), Model.Config, Model.Weights, Model.Tokenizer.EndTokens, options);
        lock (_engines) _engines.Add(engine);
        return SessionEnvironment.For(Model, engine, Store, time) with { Limits = Limits, SharedStores = true, Pages = Pages };
    }
}
