using System.Text.RegularExpressions;

namespace LServe.Tests.Tidy;

/// <summary>The text of the repository holds on every machine: no folders of one machine, no hosts of package sources.</summary>
public class ForeignTextTests
{
    private static readonly Regex Foreign = new(
        @"(?<![\w.$}/-])/(wo" + @"rk|tm" + @"p|ro" + @"ot|ho" + @"me)/[\w.]" +
        @"|api\.nu" + @"get\.org|registry\.np" + @"mjs\.org|deb\.deb" + @"ian\.org|py" + @"pi\.org|pythonho" + @"sted|files\.pyt" + @"hon" +
        @"|\bissue #?\d|\bworktr" + @"ee\b", RegexOptions.IgnoreCase);

    [Fact]
    public void NothingNamesAMachineOrAPackageSource() => Tree.AssertNone(Tree.Files.SelectMany(Violations), "Text that holds on one machine only:");

    [Theory]
    [InlineData("cd /wo" + "rk/main")]
    [InlineData("\"resolved\": \"https://registry.np" + "mjs.org/a\"")]
    [InlineData("as issue" + " 3 says")]
    public void AForeignTextIsSeen(string line) => Assert.NotEmpty(Violations(new("docs/A.md", line)));

    [Theory]
    [InlineData("the step loop works/waits")]
    [InlineData("src/home/x and artifacts/tmp/x")]
    public void OtherTextIsLeftAlone(string line) => Assert.Empty(Violations(new("docs/A.md", line)));

    private static IEnumerable<string> Violations(SourceFile file)
    {
        var lines = file.Lines;
        for (var i = 0; i < lines.Length; i++)
            if (Foreign.Match(lines[i]) is { Success: true } found)
                yield return file.At(i, found.Value);
    }
}
