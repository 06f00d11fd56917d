using System.Text.Json;
using LServe.Contracts;
using LServe.Model;
using LServe.Sessions;
using LServe.Tests.Support;

namespace LServe.Tests.Contracts;

/// <summary>
/// One bit anywhere in a killed server's folder is turned: every session goes on with the very tokens of an undamaged one, or is refused
/// as damaged. <c>LSERVE_TEST_FLIPS</c> asks for more than the usual few, <c>LSERVE_TEST_RECORD</c> names a folder for a note of what was seen.
/// </summary>
public sealed class FlipResumeTests : IDisposable
{
    private const int Seed = 3, UsualFlips = 150;
    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true };
    private static readonly string[] s_names = ["a", "b"];

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
        await RecordAsync(sparse, new { flips, sessions = flips * s_names.Length, refused, restoredTokens = restored, seed = Seed });
    }

    private static async Task RecordAsync(bool sparse, object seen)
    {
        if (Environment.GetEnvironmentVariable("LSERVE_TEST_RECORD") is not { Length: > 0 } folder) return;
        var record = new { test = nameof(FlipResumeTests), sparse, commit = Environment.GetEnvironmentVariable("LSERVE_TEST_COMMIT"), date = DateTimeOffset.UtcNow, seen };
        await File.WriteAllTextAsync(Path.Combine(folder, sparse ? "flips-lserve.json" : "flips-dense.json"), JsonSerializer.Serialize(record, s_indented) + "\n");
    }

    /// <summary>Two sessions of some turns; the folder as a kill leaves it, and what each would say next.</summary>
    private async Task<string[]> RunAndKillAsync(bool sparse)
    {
        await using var run = new StoredRun(_folder.Path, _model, sparse);
        foreach (var say in new[] { "one " + new string('x', 90), "two" })
            foreach (var name in s_names) await run.SayAsync(name + say, name);
        Copy(_folder.Path, _killed.Path);
        var answers = new List<string>();
        foreach (var name in s_names) answers.Add((await run.SayAsync("three", name)).Text);
        return [.. answers];
    }

    /// <summary>What each session's next turn used; null: it was refused as damaged, as it may be.</summary>
    private async Task<List<TurnUsage?>> GoOnAsync(bool sparse, string[] expected, string where)
    {
        var found = new List<TurnUsage?>();
        StoredRun run;
        try
        {
            run = new StoredRun(_folder.Path, _model, sparse);
        }
        catch (SessionStoreException)
        {
            return [null, null];
        }
        await using (run)
            for (var i = 0; i < s_names.Length; i++)
                try
                {
                    var (text, usage) = await run.SayAsync("three", s_names[i]);
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
}
