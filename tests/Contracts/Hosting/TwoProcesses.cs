using LServe.Contracts;
using LServe.Inference;
using LServe.Model;
using LServe.Sessions;
using LServe.Tests.Support;

namespace LServe.Tests.Contracts;

/// <summary>One store, and an engine of its own for each session that uses it.</summary>
internal sealed class TwoProcesses : IAsyncDisposable
{
    private readonly TemporaryFile _file = new(TinyModel.Bytes());
    private readonly ModelFile _model;
    private readonly InMemorySessionStore _store = new();
    private readonly List<Engine> _engines = [];
    private readonly List<Session> _sessions = [];

    public TwoProcesses() => _model = ModelFile.Open(_file.Path);

    public Session NewSession(SessionKey key, SessionHandover? handover = null)
    {
        var engine = new Engine(new FakeBackend(), _model.Config, _model.Weights, _model.Tokenizer.EndTokens, new());
        _engines.Add(engine);
        var session = new Session(key, SessionEnvironment.For(_model, engine, _store), handover: handover);
        _sessions.Add(session);
        return session;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var session in _sessions) await session.CloseAsync();
        foreach (var engine in _engines) engine.Dispose();
        _model.Dispose();
        _file.Dispose();
    }
}
