using LServe.Contracts;
using LServe.Embedded;
using LServe.Inference;
using LServe.Model;
using LServe.Sessions;
using LServe.Tests.Support;

namespace LServe.Tests.Contracts;

/// <summary>How a conversation attends: chosen by its first turn, then fixed; another way is a fork.</summary>
public sealed class AttentionChoiceTests : IAsyncDisposable
{
    private static readonly SessionKey s_key = new("t", "s");
    private static readonly LServeOptions s_sparse = new() { Sink = 10, Local = 70, Budget = 192, Candidates = 1, PrefillThreshold = 128, PrefillBudget = 192 };
    private static readonly string s_long = new('x', 300);

    private readonly TemporaryFile _file = new(TinyModel.Bytes());
    private readonly ModelFile _model;
    private Engine? _engine;
    private EmbeddedSessionHost? _host;

    public AttentionChoiceTests() => _model = ModelFile.Open(_file.Path);

    [Fact]
    public async Task TheFirstTurnChoosesAndTheReplyTellsWhatWasRead()
    {
        var host = Start(sparse: true, AttentionMode.Dense);
        var sparse = await SayAsync(host, s_key, AttentionKind.LServe, s_long);
        var dense = await SayAsync(host, new("t", "other"), null, s_long);

        Assert.Equal((AttentionKind.LServe, AttentionKind.Dense), (sparse.Attention, dense.Attention));
        Assert.InRange(sparse.PagesRead, 1, sparse.PagesHeld - 1);
        Assert.Equal(dense.PagesHeld, dense.PagesRead);
        Assert.Equal((sparse.PagesRead + dense.PagesRead, sparse.PagesHeld + dense.PagesHeld), (host.Status.PagesRead, host.Status.PagesHeld));
    }

    [Fact]
    public async Task AKeptSessionRefusesAnotherWayAndOffersAFork()
    {
        var host = Start(sparse: true, AttentionMode.Dense);
        await SayAsync(host, s_key, AttentionKind.LServe);

        var refusal = await Assert.ThrowsAsync<LServeException>(() => SayAsync(host, s_key, AttentionKind.Dense));
        Assert.Equal((ErrorCode.SessionConflict, "attention"), (refusal.Error.Code, refusal.Error.Param));
        Assert.Contains("/v1/sessions/s/fork", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(AttentionKind.LServe, (await SayAsync(host, s_key, null)).Attention);

        await host.ForkAsync(s_key, new("t", "dense"), null, AttentionKind.Dense);
        var usage = await SayAsync(host, new("t", "dense"), null);
        Assert.Equal(AttentionKind.Dense, usage.Attention);
        Assert.True(usage.RecomputedTokens > 0);
    }

    [Fact]
    public async Task AStatelessRequestChooses()
    {
        var host = Start(sparse: true, AttentionMode.LServe);
        var answer = await Answer.ReadAsync(host.RunAsync("t", Request(AttentionKind.Dense)));
        Assert.Equal(AttentionKind.Dense, answer.Usage.Attention);
    }

    [Fact]
    public async Task AServerWithoutSparseAttentionSaysSo()
    {
        var host = Start(sparse: false, AttentionMode.Dense);
        foreach (var asked in new Func<Task>[] { () => SayAsync(host, s_key, AttentionKind.LServe), () => host.ForkAsync(s_key, new("t", "u"), null, AttentionKind.LServe).AsTask() })
        {
            var refusal = await Assert.ThrowsAsync<LServeException>(asked);
            Assert.Equal((ErrorCode.InvalidRequest, "attention"), (refusal.Error.Code, refusal.Error.Param));
            Assert.Contains("--attention lserve", refusal.Message, StringComparison.Ordinal);
        }
        Assert.Equal(AttentionKind.Dense, (await SayAsync(host, s_key, AttentionKind.Dense)).Attention);
    }

    private EmbeddedSessionHost Start(bool sparse, AttentionMode attention)
    {
        _engine = new(new FakeBackend(), _model.Config, _model.Weights, _model.Tokenizer.EndTokens, new()
        {
            LServe = sparse ? s_sparse : null, Pattern = sparse ? new() { Gates = [[0.1f, 0.9f], [0.9f, 0.1f]] } : null,
        });
        return _host = new(SessionEnvironment.For(_model, _engine, new InMemorySessionStore()) with { Attention = attention });
    }

    private static TurnRequest Request(AttentionKind? attention, string text = "hello") => new()
    {
        Messages = [new(ChatMessage.User, text)], Sampling = new() { Temperature = 0, MaxTokens = 8, IgnoreEnd = true }, Attention = attention,
    };

    private static async Task<TurnUsage> SayAsync(ISessionHost host, SessionKey key, AttentionKind? attention, string text = "hello") =>
        (await Answer.ReadAsync(host.SendAsync(key, Request(attention, text)))).Usage;

    public async ValueTask DisposeAsync()
    {
        if (_host is not null) await _host.DisposeAsync();
        _engine?.Dispose();
        _model.Dispose();
        _file.Dispose();
    }
}
