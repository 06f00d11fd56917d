using System.Text.RegularExpressions;

namespace LServe.Tests.Tidy;

/// <summary>Commands that the documents show are commands of the front door, and the front door's help lists what it runs.</summary>
public class DocumentedCommandTests
{
    private static readonly Regex Invocation = new(@"(?:^|[\s`$(])\.?/?lserve\s+(?<command>[a-z][a-z-]*)\b");
    private static readonly Regex HelpLine = new(@"^  (?<command>[a-z]+) {2,}\S", RegexOptions.Multiline);

    [Fact]
    public void DocumentsShowCommandsThatExist()
    {
        var commands = Listed(Tree.Find("lserve").Text);
        Tree.AssertNone(Tree.Files.Where(file => file.Kind == ".md").SelectMany(file => Violations(file, commands)), "Commands ./lserve --help doesn't list:");
    }

    [Fact]
    public void HelpListsWhatTheFrontDoorRuns()
    {
        var script = Tree.Find("lserve").Text;
        var dispatch = script[script.LastIndexOf("case ${1:-} in", StringComparison.Ordinal)..];
        var run = Regex.Matches(dispatch, @"^    (?<names>[a-z]+( \| [a-z]+)*)\)$", RegexOptions.Multiline).SelectMany(match => match.Groups["names"].Value.Split(" | "));
        Assert.Equal(run.Order(), Listed(script).Order());
    }

    [Fact]
    public void AnUnknownCommandIsSeen() => Assert.Equal(["README.md:2: fly"], Violations(new("README.md", "```\n./lserve fly\n```\nand `./lserve serve`"), ["serve"]));

    private static HashSet<string> Listed(string script) =>
        [.. HelpLine.Matches(script[..script.IndexOf("\nTEXT", StringComparison.Ordinal)]).Select(match => match.Groups["command"].Value)];

    private static IEnumerable<string> Violations(SourceFile file, IReadOnlyCollection<string> commands)
    {
        var shown = Markdown.Blocks(file).SelectMany(block => block.Text.Split('\n').Select((line, i) => (Index: block.LineIndex + i, Code: line)))
            .Concat(Markdown.Prose(file).SelectMany((line, i) => Markdown.CodeSpans(line).Select(code => (Index: i, Code: code))));
        foreach (var (index, code) in shown)
            foreach (var command in Invocation.Matches(code).Select(match => match.Groups["command"].Value).Where(command => !commands.Contains(command)))
                yield return file.At(index, command);
    }
}
