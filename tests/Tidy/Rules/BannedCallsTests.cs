using System.Text.RegularExpressions;

namespace LServe.Tests.Tidy;

/// <summary>Calls that go wrong sooner or later, each with what to write instead.</summary>
public class BannedCallsTests
{
    private sealed record Ban(Regex Call, string Instead, string[] Folders, string[]? Except = null);

    private static readonly Ban[] Bans =
    [
        new(new(@"\bThread\.Sleep\("), "await Task.Delay with a TimeProvider, or wait for the event itself", ["src"]),
        new(new(@"\bDateTime(Offset)?\.(Utc)?Now\b"), "TimeProvider.GetUtcNow()",
            ["src/Sessions", "src/Engine", "src/Embedded", "src/Grains", "src/Api"]),
        new(new(@"\)\.Result\b(?!\w)|\bTask\w*\.Result\b"), "await", ["src"]),
        new(new(@"\b\w*[tT]ask\w*\.Wait\(|\)\.Wait\(\)|\.GetAwaiter\(\)\.GetResult\(\)"), "await", ["src"]),
        new(new(@"\basync void\b"), "async Task", ["src"]),
        new(new(@"\bGC\.(Collect|WaitForPendingFinalizers)\("), "ownership with Dispose", ["src"]),
        new(new(@"\bnew Random\(\)|\bRandom\.Shared\b"), "a generator seeded from the request, so that a run can be repeated", ["src/Engine"]),
        // A grain's reader buffers one turn, which its token limit bounds.
        new(new(@"\bChannel\.CreateUnbounded\b"), "Channel.CreateBounded with a named limit", ["src"], ["src/Grains/Abstractions"]),
        new(new(@"\bEnvironment\.(Exit|FailFast)\("), "an exception that says what to do, or an exit code from Main", ["src"]),
        new(new(@"^\s*#(region|endregion)\b"), "a file of its own", ["src", "tests", "bench", "eval"]),
        new(new(@"^\s*#if\b"), "a registration in src/Silo", ["src"]),
        new(new(@"^\s*#pragma warning disable\b"), "a mend of what is warned of", ["src"]),
    ];

    [Fact]
    public void NobodyMakesABannedCall() => Tree.AssertNone(Tree.Files.Where(file => file.Kind == ".cs").SelectMany(Violations), "Banned calls:");

    [Theory]
    [InlineData("src/Engine/A.cs", "Thread.Sleep(1);")]
    [InlineData("src/Sessions/A.cs", "var now = DateTimeOffset.UtcNow;")]
    [InlineData("src/Sessions/A.cs", "var x = Load().Result;")]
    [InlineData("src/Sessions/A.cs", "Load().GetAwaiter().GetResult();")]
    [InlineData("src/Engine/A.cs", "var r = new Random();")]
    [InlineData("src/Engine/A.cs", "Channel.CreateUnbounded<int>();")]
    [InlineData("tests/Unit/A.cs", "    #region helpers")]
    [InlineData("src/Grains/A.cs", "#if ORLEANS")]
    public void ABannedCallIsSeen(string path, string code) => Assert.NotEmpty(Violations(new(path, code)));

    [Theory]
    [InlineData("src/Engine/A.cs", "// never Thread.Sleep(1)")]
    [InlineData("src/Engine/A.cs", "var text = \"DateTime.Now\";")]
    [InlineData("src/Engine/A.cs", "step.Result = run.Results[0];")]
    public void OtherCodeIsLeftAlone(string path, string code) => Assert.Empty(Violations(new(path, code)));

    private static IEnumerable<string> Violations(SourceFile file)
    {
        var lines = file.CodeLines;
        foreach (var ban in Bans.Where(ban => file.IsUnder(ban.Folders) && !file.IsUnder(ban.Except ?? [])))
            for (var i = 0; i < lines.Length; i++)
                if (ban.Call.Match(lines[i]) is { Success: true } call)
                    yield return file.At(i, $"'{call.Value.Trim()}': write {ban.Instead}");
    }
}
