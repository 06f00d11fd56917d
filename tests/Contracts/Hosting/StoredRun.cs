using LServe.Contracts;
using LServe.Embedded;
using LServe.Inference;
using LServe.Model;
using LServe.Sessions;
using LServe.Stores.Local;
using LServe.Tests.Support;

namespace LServe.Tests.Contracts;

/// <summary>A process's worth of sessions in a folder: store, engine without arithmetic, host.</summary>
internal sealed class StoredRun : IAsyncDisposable
{
    private const string Tenant = "t";
    private static readonly LServeOptions s_sparse = new() { Sink = 10, Local = 70, Budget = 192, Candidates = 1, PrefillThreshold = 128, PrefillBudget = 192 };

    private readonly LocalStore _store;
    private readonly Engine _engine;
    private readonly EmbeddedSessionHost _host;

    public StoredRun(string folder, ModelFile model, bool sparse, int keepTurns = 8, string? arithmetic = null, long maxPageBytes = long.MaxValue, IBackend? backend = null)
    {
        _store = LocalStore.Open(new() { Folder = folder, KeepTurns = keepTurns, MaxPageBytes = maxPageBytes });
        _engine = new(backend ?? new FakeBackend(), model.Config, model.Weights, model.Tokenizer.EndTokens, new()
        {
            LServe = sparse ? s_sparse : null, Pattern = sparse ? new() { Gates = [[0.1f, 0.9f], [0.9f, 0.1f]] } : null,
        });
        var environment = SessionEnvironment.For(model, _engine, _store.Sessions);
        _host = new(environment with
        {
            Pages = _store.Pages, Attention = sparse ? AttentionMode.LServe : AttentionMode.Dense,
            Fingerprint = environment.Fingerprint! with { Arithmetic = arithmetic ?? environment.Fingerprint.Arithmetic },
        });
    }

    public ISessionHost Host => _host;

    public async Task<(string Text, TurnUsage Usage)> SayAsync(string text, string session = "s", bool replay = false)
    {
        var request = new TurnRequest { Messages = [new(ChatMessage.User, text)], Sampling = new() { Temperature = 0, MaxTokens = 20 }, Replay = replay };
        var answer = await Answer.ReadAsync(_host.SendAsync(new(Tenant, session), request));
        return (answer.Text, answer.Usage);
    }

    public async Task<IReadOnlyDictionary<KvRecordId, KvLocator>> RecordsAsync() => (await _store.Sessions.LoadAsync(new(Tenant, "s")))!.Snapshot.Kv;

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        _engine.Dispose();
        _store.Dispose();
    }
}
