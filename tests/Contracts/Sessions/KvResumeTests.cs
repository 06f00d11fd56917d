using LServe.Contracts;
using LServe.Cpu;
using LServe.Model;
using LServe.Sessions;
using LServe.Tests.Support;

namespace LServe.Tests.Contracts;

/// <summary>Sessions come back with their pages, or without them where those can't be trusted, and say the same either way.</summary>
public sealed class KvResumeTests : IDisposable
{
    private static readonly SessionKey s_key = new("t", "s");
    private static readonly string[] s_says = ["one " + new string('x', 90), "two", "three " + new string('y', 70), "four"];

    private readonly TemporaryFile _file = new(TinyModel.Bytes()), _otherFile = new(TinyModel.Bytes(new() { Seed = 2 }));
    private readonly TemporaryFolder _folder = new();
    private readonly ModelFile _model, _otherModel;

    public KvResumeTests() => (_model, _otherModel) = (ModelFile.Open(_file.Path), ModelFile.Open(_otherFile.Path));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task EveryTurnAfterARestartRestoresAllTokensAndRecomputesNone(bool sparse)
    {
        var expected = await UndisturbedAsync(sparse);
        var before = 0;
        for (var i = 0; i < s_says.Length; i++)
        {
            await using var run = Start(sparse);
            var (text, usage) = await run.SayAsync(s_says[i]);
            Assert.Equal(expected[i].Text, text);
            // The last token of an answer has no keys and values yet.
            Assert.Equal(i == 0 ? 0 : before - 1, usage.RestoredTokens);
            Assert.Equal(0, usage.RecomputedTokens);
            before = usage.SessionTokens;
        }
    }

    [Theory]
    [InlineData(false, KvRecordKind.Retrieval, 0, 0)]
    [InlineData(false, KvRecordKind.Retrieval, 100, 64)]
    [InlineData(false, KvRecordKind.Selection, 0, 0)]
    [InlineData(true, KvRecordKind.Streaming, 0, 0)]
    [InlineData(true, KvRecordKind.Retrieval, 1000, 256)]
    [InlineData(true, KvRecordKind.Selection, 0, 0)]
    public async Task AFlippedByteInAnyRecordCostsAReplayFromThereOnAndNoToken(bool sparse, KvRecordKind kind, int near, int restored)
    {
        var expected = await UndisturbedAsync(sparse);
        await SayAllAsync(sparse, until: 3);
        await FlipAsync(kind, near);

        await using (var run = Start(sparse))
        {
            var (text, usage) = await run.SayAsync(s_says[3]);
            Assert.Equal((expected[3].Text, restored), (text, usage.RestoredTokens));
            Assert.True(usage.RecomputedTokens > 0);
        }
        await using var next = Start(sparse);
        Assert.Equal(0, (await next.SayAsync("five")).Usage.RecomputedTokens);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(70, 64)]
    [InlineData(1000, 192)]
    public async Task WherePagesAreReadToWhereTheyBelongItIsNoOther(int near, int restored)
    {
        StoredRun OnCpu() => new(_folder.Path, _model, sparse: false, backend: new CpuBackend(new() { Threads = 1 }));
        string[] says = ["one " + new string('x', 150), "two", "three"];
        var expected = "";
        await using (var undisturbed = OnCpu())
        {
            foreach (var say in says) expected = (await undisturbed.SayAsync(say)).Text;
            await undisturbed.Host.DeleteAsync(s_key);
        }
        await using (var run = OnCpu())
            foreach (var say in says[..2]) await run.SayAsync(say);
        await FlipAsync(KvRecordKind.Retrieval, near);

        await using var next = OnCpu();
        var (text, usage) = await next.SayAsync(says[2]);
        Assert.Equal((expected, restored), (text, usage.RestoredTokens / 64 * 64));
    }

    [Fact]
    public async Task ASessionOfOtherWeightsGoesOnWhenItIsAskedToBeReadAgainAndNotBefore()
    {
        await SayAllAsync(sparse: false, until: 2);
        await using (var run = new StoredRun(_folder.Path, _otherModel, sparse: false))
        {
            var refusal = await Assert.ThrowsAsync<LServeException>(() => run.SayAsync(s_says[2]));
            Assert.Equal((ErrorCode.SessionConflict, "replay"), (refusal.Error.Code, refusal.Error.Param));
            var (_, usage) = await run.SayAsync(s_says[2], replay: true);
            Assert.Equal(0, usage.RestoredTokens);
            Assert.True(usage.RecomputedTokens > 0);
            await run.SayAsync(s_says[3]);
        }
        await using var before = Start(sparse: false);
        await Assert.ThrowsAsync<LServeException>(() => before.SayAsync("five"));
    }

    [Fact]
    public async Task PagesOfAnotherArithmeticServeAndTheReplySaysSo()
    {
        var expected = await UndisturbedAsync(sparse: false);
        await SayAllAsync(sparse: false, until: 2);
        await using var run = new StoredRun(_folder.Path, _model, sparse: false, arithmetic: "wider");
        var (text, usage) = await run.SayAsync(s_says[2]);
        Assert.Equal((expected[2].Text, true, 0), (text, usage.ArithmeticChanged, usage.RecomputedTokens));
        Assert.True(usage.RestoredTokens > 0);
        Assert.False((await run.SayAsync(s_says[3])).Usage.ArithmeticChanged);
    }

    [Fact]
    public async Task ATurnWritesWhatIsNewAndNoMore()
    {
        await using var run = Start(sparse: false);
        var tokens = (await run.SayAsync(new string('x', 200))).Usage.SessionTokens;
        for (var turn = 0; turn < 5; turn++)
        {
            var before = PageFiles().Sum(file => new FileInfo(file).Length);
            var added = -tokens + (tokens = (await run.SayAsync("more")).Usage.SessionTokens);
            var grown = PageFiles().Sum(file => new FileInfo(file).Length) - before;
            // Four bytes a token in this backend, and headers of as many records as there are pages with new tokens and one for the state.
            Assert.InRange(grown, 4 * added, 4 * added + 4 * 32 + 12);
        }
    }

    [Fact]
    public async Task DeletingASessionDeletesItsPages()
    {
        await SayAllAsync(sparse: false, until: 1);
        Assert.NotEmpty(PageFiles());
        await using var run = Start(sparse: false);
        Assert.True(await run.Host.DeleteAsync(s_key));
        Assert.Empty(PageFiles());
        Assert.Equal(0, (await run.SayAsync("again")).Usage.RestoredTokens);
    }

    [Fact]
    public async Task GarbageIsCompactedAwayWhileTheSessionGoesOn()
    {
        var last = 0;
        for (var turn = 0; turn < 12; turn++)
        {
            await using var run = Start(sparse: true, keepTurns: 1);
            var usage = (await run.SayAsync("go")).Usage;
            Assert.Equal((turn == 0, 0), (usage.RestoredTokens == 0, usage.RecomputedTokens));
            var live = (await run.RecordsAsync()).Sum(record => (long)record.Value.Length);
            Assert.InRange(PageFiles().Sum(file => new FileInfo(file).Length), live, 2 * live);
            last = (await run.RecordsAsync()).Values.Max(place => place.File);
        }
        Assert.True(last > 0, "nothing was compacted");
    }

    [Fact]
    public async Task PastTheLimitTheSessionUsedLongestAgoLosesItsPagesAndNothingElse()
    {
        int bytes;
        await using (var run = Start(sparse: false))
        {
            await run.SayAsync("one " + new string('x', 200), "a");
            bytes = (int)PageFiles().Sum(file => new FileInfo(file).Length);
        }
        await using (var run = new StoredRun(_folder.Path, _model, sparse: false, maxPageBytes: 5 * bytes / 2))
            foreach (var name in new[] { "b", "c" })
                await run.SayAsync("one " + new string('x', 200), name);

        Assert.Equal(2, PageFiles().Count());
        await using var next = Start(sparse: false);
        foreach (var (name, recomputed) in new[] { ("a", true), ("b", false), ("c", false) })
            Assert.Equal(recomputed, (await next.SayAsync("two", name)).Usage.RecomputedTokens > 0);
        Assert.Equal(0, (await next.SayAsync("three", "a")).Usage.RecomputedTokens);
    }

    [Fact]
    public async Task AReleasedSessionComesBackFromTheStoreWithinTheSameProcess()
    {
        await using var run = Start(sparse: true);
        var before = (await run.SayAsync(s_says[0])).Usage.SessionTokens;
        Assert.True(await run.Host.ReleaseAsync(s_key));
        var usage = (await run.SayAsync(s_says[1])).Usage;
        Assert.Equal((before - 1, 0), (usage.RestoredTokens, usage.RecomputedTokens));
    }

    /// <summary>Flips a bit in the middle of a record that the session needs: the last of its kind that begins no later.</summary>
    private async Task FlipAsync(KvRecordKind kind, int near)
    {
        KvLocator place;
        await using (var run = Start(sparse: false)) place = (await run.RecordsAsync()).Where(record => record.Key.Kind == kind && record.Key.First <= near).MaxBy(record => record.Key.First).Value;
        var file = Assert.Single(PageFiles());
        var bytes = File.ReadAllBytes(file);
        bytes[place.Offset + place.Length / 2] ^= 4;
        File.WriteAllBytes(file, bytes);
    }

    private StoredRun Start(bool sparse, int keepTurns = 8) => new(_folder.Path, _model, sparse, keepTurns);

    private IEnumerable<string> PageFiles() => Directory.EnumerateFiles(Path.Combine(_folder.Path, "pages"), "*", SearchOption.AllDirectories);

    private async Task<List<(string Text, TurnUsage Usage)>> UndisturbedAsync(bool sparse)
    {
        await using var run = Start(sparse);
        var answers = new List<(string, TurnUsage)>();
        foreach (var text in s_says) answers.Add(await run.SayAsync(text));
        await run.Host.DeleteAsync(s_key);
        return answers;
    }

    private async Task SayAllAsync(bool sparse, int until)
    {
        await using var run = Start(sparse);
        foreach (var text in s_says[..until]) await run.SayAsync(text);
    }

    public void Dispose()
    {
        _model.Dispose();
        _otherModel.Dispose();
        _file.Dispose();
        _otherFile.Dispose();
        _folder.Dispose();
    }
}
