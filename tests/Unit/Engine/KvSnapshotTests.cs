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
    private static readonly IReadOnlyDictionary<KvPageId, int> s_nothing = new Dictionary<KvPageId, int>();

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
            Assert.True(await ImportAsync(engine, restored, snapshot!));
            Assert.Equal(sequence.CachedLength, restored.CachedLength);
            sequence = restored;
        }
        engine.Dispose();

        Assert.Equal(expected.Tokens.ToArray(), sequence.Tokens.ToArray());
        if (sparse) Assert.True(sequence.Pages.Dropped > 0, "the window never slid");
    }

    [Theory]
    [InlineData(KvPrecision.F32, false)]
    [InlineData(KvPrecision.F16, true)]
    [InlineData(KvPrecision.Int8, true)]
    [InlineData(KvPrecision.K8V4, false)]
    [InlineData(KvPrecision.Int4, true)]
    public async Task TurnByTurnExportsAddUpToTheCacheAndHaveEachTokenOnce(KvPrecision precision, bool sparse)
    {
        using var undisturbed = Start(fake: false, sparse, precision: precision);
        using var engine = Start(fake: false, sparse, precision: precision);
        var (expected, sequence) = (New(sparse), New(sparse));
        var (saved, parts) = (new Dictionary<KvPageId, int>(), new List<KvPart>());
        KvSnapshot? last = null;
        foreach (var length in new[] { 70, 1, 9, 150, 3 })
        {
            await RunAsync(undisturbed, expected, Prompt(length));
            await RunAsync(engine, sequence, Prompt(length));
            last = (await engine.ExportAsync(sequence, saved))!;
            parts.AddRange(last.Parts);
            foreach (var part in last.Parts) saved[part.Page] = part.End - part.Page.Index * KvGeometry.PageTokens;
        }
        var held = last!.Shape.Held(sparse).ToHashSet();
        var retrieval = parts.Where(part => part.Pool == KvPool.Retrieval).ToList();
        Assert.Equal(sequence.CachedLength, retrieval.Sum(part => part.End - part.First));
        Assert.Equal(last.Shape.Held(sparse).Count(), held.Count);

        await engine.ReleaseAsync(sequence);
        var whole = last with { Parts = [.. parts.Where(part => held.Contains(part.Page)).OrderBy(part => (part.Pool, part.First))] };
        Assert.True(await ImportAsync(engine, sequence, whole));
        foreach (var next in new[] { undisturbed, engine }) await RunAsync(next, next == engine ? sequence : expected, Prompt(20));
        Assert.Equal(expected.Tokens.ToArray(), sequence.Tokens.ToArray());
    }

    [Theory]
    [InlineData(KvPrecision.F16)]
    [InlineData(KvPrecision.Int8)]
    [InlineData(KvPrecision.K8V4)]
    [InlineData(KvPrecision.Int4)]
    public async Task APageThatIsFilledInPartComesBackAsItWasHoweverFarItIsFilled(KvPrecision precision)
    {
        using var engine = Start(fake: false, sparse: true, precision: precision);
        for (var tokens = 1; tokens < KvGeometry.PageTokens; tokens++)
        {
            var sequence = New(sparse: true);
            await RunAsync(engine, sequence, Prompt(tokens), answer: 1);
            var saved = (await engine.ExportAsync(sequence, s_nothing))!;
            await engine.ReleaseAsync(sequence);
            Assert.True(await ImportAsync(engine, sequence, saved));
            var again = (await engine.ExportAsync(sequence, s_nothing))!;
            Assert.Equal(saved.Parts.Select(part => (part.Pool, part.First, part.End)), again.Parts.Select(part => (part.Pool, part.First, part.End)));
            Assert.All(saved.Parts.Zip(again.Parts), pair => Assert.Equal(pair.First.Bytes.ToArray(), pair.Second.Bytes.ToArray()));
            await engine.ReleaseAsync(sequence);
        }
    }

    [Fact]
    public async Task PagesThatCanNotBeCutAreSavedWhole()
    {
        using var undisturbed = Start(fake: true, sparse: true);
        using var engine = Start(new FakeBackend(cuts: false), sparse: true);
        var (expected, sequence, latest) = (New(sparse: true), New(sparse: true), new Dictionary<KvPageId, KvPart>());
        KvSnapshot? last = null;
        foreach (var length in new[] { 70, 1, 90 })
        {
            await RunAsync(undisturbed, expected, Prompt(length));
            await RunAsync(engine, sequence, Prompt(length));
            last = (await engine.ExportAsync(sequence, latest.ToDictionary(p => p.Key, p => p.Value.End - p.Value.First)))!;
            Assert.All(last.Parts, part => Assert.Equal((0, engine.Geometry.PageBytesOf(part.Pool)), (part.First % KvGeometry.PageTokens, part.Bytes.Length)));
            foreach (var part in last.Parts) latest[part.Page] = part;
        }
        await engine.ReleaseAsync(sequence);
        var held = last!.Shape.Held(anyStreams: true).Select(page => latest[page]).ToArray();
        Assert.True(await ImportAsync(engine, sequence, last with { Parts = held }));
        await RunAsync(undisturbed, expected, Prompt(20));
        await RunAsync(engine, sequence, Prompt(20));
        Assert.Equal(expected.Tokens.ToArray(), sequence.Tokens.ToArray());
    }

    [Fact]
    public async Task AnExportInPiecesIsTheExport()
    {
        using var engine = Start(fake: true, sparse: true);
        var sequence = New(sparse: true);
        await RunAsync(engine, sequence, Prompt(300));
        var all = (await engine.ExportAsync(sequence, s_nothing))!;
        var (saved, parts, calls) = (new Dictionary<KvPageId, int>(), new List<KvPart>(), 0);
        for (var complete = false; !complete; calls++)
        {
            var some = (await engine.ExportAsync(sequence, saved, maxBytes: 1))!;
            parts.Add(Assert.Single(some.Parts));
            saved[parts[^1].Page] = parts[^1].End - parts[^1].Page.Index * KvGeometry.PageTokens;
            complete = some.IsComplete;
        }

        Assert.Equal(all.Parts.Select(part => (part.Pool, part.First, part.End)), parts.Select(part => (part.Pool, part.First, part.End)));
        Assert.Equal(all.Parts.Count, calls);
        Assert.Equal(all.Shape.Held(anyStreams: true), all.Parts.Select(part => part.Page));
    }

    [Theory]
    [InlineData(false, 100, 100)]
    [InlineData(false, 64, 64)]
    [InlineData(false, 0, 0)]
    [InlineData(true, 170, 128)]
    [InlineData(true, 20, 0)]
    public async Task WhatIsDamagedIsComputedAgainFromThereOnAndSaysTheSame(bool sparse, int intact, int restored)
    {
        using var undisturbed = Start(fake: true, sparse);
        using var engine = Start(fake: true, sparse);
        var (expected, sequence) = (New(sparse), New(sparse));
        await RunAsync(undisturbed, expected, Prompt(150));
        await RunAsync(engine, sequence, Prompt(150));
        var snapshot = (await engine.ExportAsync(sequence, s_nothing))!;
        await engine.ReleaseAsync(sequence);
        var used = engine.Statistics.PagesUsed;

        Assert.True(await ImportAsync(engine, sequence, snapshot with { Parts = [.. snapshot.Parts.Where(part => part.First < intact)] }, intact));
        Assert.Equal(restored, sequence.CachedLength);
        await RunAsync(undisturbed, expected, Prompt(20));
        await RunAsync(engine, sequence, Prompt(20));
        Assert.Equal(expected.Tokens.ToArray(), sequence.Tokens.ToArray());
        await engine.ReleaseAsync(sequence);
        Assert.Equal(used, engine.Statistics.PagesUsed);
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

        Assert.False(await ImportAsync(engine, sequence, snapshot));
        Assert.False(await ImportAsync(engine, Fresh(100), snapshot));
        Assert.False(await ImportAsync(engine, Fresh(150 + Answer), snapshot with { Parts = [snapshot.Parts[0] with { Bytes = new byte[3] }] }));
        Assert.False(await ImportAsync(engine, Fresh(150 + Answer), snapshot with { Selection = new byte[1] }));
        Assert.False(await ImportAsync(engine, Fresh(150 + Answer), snapshot with { Selection = Spoilt(snapshot.Selection) }));
        Assert.False(await ImportAsync(engine, Fresh(150 + Answer), snapshot with { Shape = snapshot.Shape with { SinkPages = 2 } }));
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

        Assert.True(await ImportAsync(engine, first, snapshot));
        Assert.Equal(0, second.CachedLength);

        var blocking = engine.Generate(second, [1], SamplingParams.Greedy, 60);
        await engine.ReleaseAsync(first);
        await blocking.WaitAsync();
        Assert.False(await ImportAsync(engine, first, snapshot));
        Assert.Equal(0, first.CachedLength);
        engine.Cancel(blocking);
        await EndAsync(blocking);
        Assert.True(await ImportAsync(engine, first, snapshot));
    }

    [Fact]
    public async Task APinnedSequenceGivesUpItsPagesAfterAllOthers()
    {
        using var engine = Start(fake: true, sparse: false, kvTokens: 512);
        var (pinned, idle, last) = (New(sparse: false), New(sparse: false), New(sparse: false));
        await RunAsync(engine, pinned, Prompt(100));
        pinned.IsPinned = true;
        await RunAsync(engine, idle, Prompt(100));
        await RunAsync(engine, last, Prompt(200));
        Assert.Equal((true, 0), (pinned.CachedLength > 0, idle.CachedLength));
        await RunAsync(engine, last, Prompt(200));
        Assert.Equal(0, pinned.CachedLength);
    }

    private static int[] Prompt(int tokens) => [.. Enumerable.Range(0, tokens).Select(i => TinyTokenizer.FirstByte + 'a' + i * i % 23)];

    private static Sequence New(bool sparse) => new("a", sparse ? AttentionMode.LServe : AttentionMode.Dense);

    /// <summary>A selection state that names a page which isn't there.</summary>
    private static byte[] Spoilt(ReadOnlyMemory<byte> selection)
    {
        var spoilt = selection.ToArray();
        System.Runtime.InteropServices.MemoryMarshal.Write(spoilt, 1);
        for (var i = 2; i < 4; i++) System.Runtime.InteropServices.MemoryMarshal.Write(spoilt.AsSpan(i * sizeof(int)), 1000);
        return spoilt;
    }

    /// <summary>Brings a snapshot back; false, and the sequence stays empty, where it doesn't belong.</summary>
    private static async Task<bool> ImportAsync(Engine engine, Sequence sequence, KvSnapshot snapshot, int? intact = null)
    {
        if (await engine.BeginImportAsync(sequence, snapshot.Shape, snapshot.Selection) is not { } import) return false;
        var written = await engine.ImportAsync(import, snapshot.Parts);
        await engine.EndImportAsync(import, written ? intact ?? snapshot.Shape.CachedLength : 0);
        return written;
    }

    private Engine Start(bool fake, bool sparse, int kvTokens = 0, KvPrecision? precision = null) =>
        Start(fake ? new FakeBackend() : new CpuBackend(new() { Threads = 1 }), sparse, kvTokens, precision);

    private Engine Start(IBackend backend, bool sparse, int kvTokens = 0, KvPrecision? precision = null) => new(
        backend, _model.Config, _model.Weights, _model.Tokenizer.EndTokens,
        new()
        {
            KvTokens = kvTokens, KvPrecision = precision ?? (sparse ? KvPrecision.Int8 : KvPrecision.F16), LServe = sparse ? s_sparse : null,
            Pattern = sparse ? new() { Gates = [[0.1f, 0.9f], [0.9f, 0.1f]] } : null, EventBuffer = 8,
        });

    private static async Task RunAsync(Engine engine, Sequence sequence, int[] prompt, int answer = Answer) =>
        await EndAsync(engine.Generate(sequence, prompt, SamplingParams.Greedy with { IgnoreEnd = true }, answer));

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
