using LServe.Cpu;
using LServe.Inference;
using LServe.Model;
using LServe.Tests.Support;

namespace LServe.Tests.Unit.Inference;

/// <summary>A sequence whose cache went through a snapshot into another engine says what an undisturbed one says.</summary>
public sealed class KvSnapshotTests : IDisposable
{
    private const int Answer = 40;

    private static readonly LServeOptions s_sparse = new() { Sink = 10, Local = 70, Budget = 192, Candidates = 1, Renewal = 8, PrefillThreshold = 128, PrefillBudget = 192 };
    private static readonly IReadOnlySet<KvPageId> s_nothing = new HashSet<KvPageId>();

    private readonly TemporaryFile _file = new(TinyModel.Bytes());
    private readonly ModelFile _model;

    public KvSnapshotTests() => _model = ModelFile.Open(_file.Path);

    public static TheoryData<bool, bool> Engines => new() { { false, false }, { false, true }, { true, false }, { true, true } };

    [Theory]
    [MemberData(nameof(Engines))]
    public async Task ASequenceGoesOnInAnotherEngineAsIfNothingHadHappened(bool fake, bool sparse)
    {
        int[][] prompts = [Prompt(150), Prompt(37), Prompt(25)];
        using var undisturbed = Start(fake, sparse);
        var expected = New(sparse);
        foreach (var prompt in prompts) await RunAsync(undisturbed, expected, prompt);

        var engine = Start(fake, sparse);
        var sequence = New(sparse);
        foreach (var prompt in prompts)
        {
            await RunAsync(engine, sequence, prompt);
            var snapshot = await engine.ExportAsync(sequence, s_nothing);
            engine.Dispose();
            engine = Start(fake, sparse);
            var restored = Sequence.Restore("a", sequence.Tokens.ToArray(), sequence.Runs, sequence.Mode);
            Assert.True(await engine.ImportAsync(restored, snapshot!));
            Assert.Equal(sequence.CachedLength, restored.CachedLength);
            sequence = restored;
        }
        engine.Dispose();

        Assert.Equal(expected.Tokens.ToArray(), sequence.Tokens.ToArray());
        if (sparse) Assert.True(sequence.Pages.Dropped > 0, "the window never slid");
    }

    [Fact]
    public async Task AnExportLeavesOutWhatIsSavedAndFull()
    {
        using var engine = Start(fake: true, sparse: true);
        var sequence = New(sparse: true);
        await RunAsync(engine, sequence, Prompt(150));
        var all = (await engine.ExportAsync(sequence, s_nothing))!;
        var rest = (await engine.ExportAsync(sequence, all.Pages.Select(page => page.Id).ToHashSet()))!;

        Assert.Equal(all.Shape.Held(anyStreams: true), all.Pages.Select(page => page.Id));
        Assert.Equal(all.Pages.Where(page => !all.Shape.IsFull(page.Id.Index)).Select(page => page.Id), rest.Pages.Select(page => page.Id));
        Assert.Equal([KvPool.Retrieval, KvPool.Streaming], rest.Pages.Select(page => page.Id.Pool));
    }

    [Fact]
    public async Task WhatDoesNotBelongToTheSequenceIsRefused()
    {
        using var engine = Start(fake: true, sparse: true);
        var sequence = New(sparse: true);
        await RunAsync(engine, sequence, Prompt(150));
        var snapshot = (await engine.ExportAsync(sequence, s_nothing))!;
        var used = engine.Statistics.PagesUsed;
        Sequence Fresh(int tokens) => Sequence.Restore("a", sequence.Tokens[..tokens].ToArray(), [new(tokens, SliceKind.Prefill)], AttentionMode.LServe);

        Assert.False(await engine.ImportAsync(sequence, snapshot));
        Assert.False(await engine.ImportAsync(Fresh(100), snapshot));
        Assert.False(await engine.ImportAsync(Fresh(150 + Answer), snapshot with { Pages = [.. snapshot.Pages.Skip(1)] }));
        Assert.False(await engine.ImportAsync(Fresh(150 + Answer), snapshot with { Selection = new byte[1] }));
        Assert.False(await engine.ImportAsync(Fresh(150 + Answer), snapshot with { Shape = snapshot.Shape with { SinkPages = 2 } }));
        Assert.Equal(used, engine.Statistics.PagesUsed);
    }

    [Fact]
    public async Task RoomComesFromIdleSequencesAndWithoutAnyTheSequenceStaysAsItWas()
    {
        using var engine = Start(fake: true, sparse: false, kvTokens: 512);
        var (first, second) = (New(sparse: false), New(sparse: false));
        await RunAsync(engine, first, Prompt(300));
        var snapshot = (await engine.ExportAsync(first, s_nothing))!;
        await engine.ReleaseAsync(first);
        await RunAsync(engine, second, Prompt(400));

        Assert.True(await engine.ImportAsync(first, snapshot));
        Assert.Equal(0, second.CachedLength);

        var blocking = engine.Generate(second, [1], SamplingParams.Greedy, 60);
        await engine.ReleaseAsync(first);
        await blocking.WaitAsync();
        Assert.False(await engine.ImportAsync(first, snapshot));
        Assert.Equal(0, first.CachedLength);
        engine.Cancel(blocking);
        await EndAsync(blocking);
        Assert.True(await engine.ImportAsync(first, snapshot));
    }

    private static int[] Prompt(int tokens) => [.. Enumerable.Range(0, tokens).Select(i => TinyTokenizer.FirstByte + 'a' + i * i % 23)];

    private static Sequence New(bool sparse) => new("a", sparse ? AttentionMode.LServe : AttentionMode.Dense);

    private Engine Start(bool fake, bool sparse, int kvTokens = 0) => new(
        fake ? new FakeBackend() : new CpuBackend(new() { Threads = 1 }), _model.Config, _model.Weights, _model.Tokenizer.EndTokens,
        new()
        {
            KvTokens = kvTokens, KvPrecision = sparse ? KvPrecision.Int8 : KvPrecision.F16, LServe = sparse ? s_sparse : null,
            Pattern = sparse ? new() { Gates = [[0.1f, 0.9f], [0.9f, 0.1f]] } : null, EventBuffer = 8,
        });

    private static async Task RunAsync(Engine engine, Sequence sequence, int[] prompt) =>
        await EndAsync(engine.Generate(sequence, prompt, SamplingParams.Greedy with { IgnoreEnd = true }, Answer));

    private static async Task EndAsync(Generation generation)
    {
        while (await generation.WaitAsync())
            while (generation.TryRead(out var next))
                if (next.Kind == TokenEventKind.Failed)
                    throw next.Error!;
    }

    public void Dispose()
    {
        _model.Dispose();
        _file.Dispose();
    }
}
