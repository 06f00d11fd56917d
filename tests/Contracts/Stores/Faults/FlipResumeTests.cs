using LServe.Contracts;
using LServe.Embedded;
using LServe.Inference;
using LServe.Model;
using LServe.Sessions;
using LServe.Stores.Local;
using LServe.Tests.Support;

namespace LServe.Tests.Contracts;

/// <summary>
/// One bit anywhere in a killed server's folder is turned: every session goes on with the very tokens of an undamaged one, or is refused
/// as damaged. <c>LSERVE_TEST_FLIPS</c> asks for more than the usual few.
/// </summary>
public sealed class FlipResumeTests : IDisposable
{
    private const int Seed = 3, UsualFlips = 150;
    private static readonly string[] s_names = ["a", "b"];
    private static readonly LServeOptions s_sparse = new() { Sink = 10, Local = 70, Budget = 192, Candidates = 1, PrefillThreshold = 128, PrefillBudget = 192 };

    private readonly TemporaryFile _file = new(TinyModel.Bytes());
    private readonly TemporaryFolder _folder = new(), _killed = new();
    private readonly ModelFile _model;

    public FlipResumeTests() => _model = ModelFile.Open(_file.Path);

    public void Dispose()
    {
        _model.Dispose();
        _file.Dispose();
        _folder.Dispose();
        _killed.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AFlippedBitIsNoticedOrHarmless(bool sparse)
    {
        var expected = await RunAndKillAsync(sparse);
        var files = Directory.GetFiles(_killed.Path, "*", SearchOption.AllDirectories).Where(file => new FileInfo(file).Length > 0).Order().ToArray();
        var flips = Environment.GetEnvironmentVariable("LSERVE_TEST_FLIPS") is { Length: > 0 } text ? int.Parse(text) : UsualFlips;
        var (random, refused, restored) = (new Random(Seed), 0, 0);
        for (var flip = 0; flip < flips; flip++)
        {
            Copy(_killed.Path, _folder.Path);
            var file = files[random.Next(files.Length)].Replace(_killed.Path, _folder.Path);
            var bytes = await File.ReadAllBytesAsync(file);
            var at = random.Next(bytes.Length);
            bytes[at] ^= (byte)(1 << random.Next(8));
            await File.WriteAllBytesAsync(file, bytes);
            foreach (var usage in await GoOnAsync(sparse, expected, $"seed {Seed}, flip {flip}, byte {at} of {Path.GetFileName(file)}"))
                if (usage is null) refused++;
                else restored += usage.RestoredTokens;
        }
        Assert.True(restored > 0);
        Assert.InRange(refused, 0, flips);
    }

    /// <summary>Two sessions of some turns; the folder as a kill leaves it, and what each would say next.</summary>
    private async Task<string[]> RunAndKillAsync(bool sparse)
    {
        await using var run = new Run(this, sparse);
        foreach (var say in new[] { "one " + new string('x', 90), "two" })
            foreach (var name in s_names) await run.SayAsync(name, name + say);
        Copy(_folder.Path, _killed.Path);
        var answers = new List<string>();
        foreach (var name in s_names) answers.Add((await run.SayAsync(name, "three")).Text);
        return [.. answers];
    }

    /// <summary>What each session's next turn used; null: it was refused as damaged, as it may be.</summary>
    private async Task<List<TurnUsage?>> GoOnAsync(bool sparse, string[] expected, string where)
    {
        var found = new List<TurnUsage?>();
        Run run;
        try
        {
            run = new Run(this, sparse);
        }
        catch (SessionStoreException)
        {
            return [null, null];
        }
        await using (run)
            for (var i = 0; i < s_names.Length; i++)
                try
                {
                    var (text, usage) = await run.SayAsync(s_names[i], "three");
                    Assert.True(text == expected[i], $"{where}: session {s_names[i]} says '{text}' instead of '{expected[i]}'.");
                    found.Add(usage);
                }
                catch (LServeException refusal) when (refusal.Error.Code is ErrorCode.SessionDamaged or ErrorCode.Overloaded)
                {
                    found.Add(null);
                }
        return found;
    }

    private static void Copy(string from, string to)
    {
        foreach (var old in Directory.GetFiles(to, "*", SearchOption.AllDirectories)) File.Delete(old);
        foreach (var file in Directory.GetFiles(from, "*", SearchOption.AllDirectories).Where(file => Path.GetFileName(file) != "lock"))
        {
            var copy = file.Replace(from, to);
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
    }

    /// <summary>A process's worth: store, engine, host.</summary>
    private sealed class Run : IAsyncDisposable
    {
        private readonly LocalStore _store;
        private readonly Engine _engine;
        private readonly EmbeddedSessionHost _host;

        public Run(FlipResumeTests test, bool sparse)
        {
            _store = LocalStore.Open(new() { Folder = test._folder.Path });
            _engine = new(new FakeBackend(), test._model.Config, test._model.Weights, test._model.Tokenizer.EndTokens, new()
            {
                LServe = sparse ? s_sparse : null, Pattern = sparse ? new() { Gates = [[0.1f, 0.9f], [0.9f, 0.1f]] } : null,
            });
            _host = new(SessionEnvironment.For(test._model, _engine, _store.Sessions) with
            {
                Pages = _store.Pages, Attention = sparse ? AttentionMode.LServe : AttentionMode.Dense,
            });
        }

        public async Task<(string Text, TurnUsage Usage)> SayAsync(string session, string text)
        {
            var request = new TurnRequest { Messages = [new(ChatMessage.User, text)], Sampling = new() { Temperature = 0, MaxTokens = 20 } };
            var answer = await Answer.ReadAsync(_host.SendAsync(new("t", session), request));
            return (answer.Text, answer.Usage);
        }

        public async ValueTask DisposeAsync()
        {
            await _host.DisposeAsync();
            _engine.Dispose();
            _store.Dispose();
        }
    }
}
