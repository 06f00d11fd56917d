using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;
using LServe.Tests.Support;

namespace LServe.Tests.EndToEnd.Readme;

/// <summary>The README's own commands and programs, run as they stand there against a server, only on another port.</summary>
public sealed class ReadmeTests(ReadmeServer server) : IClassFixture<ReadmeServer>
{
    private static readonly string NodeModules = Path.Combine(RepositoryFiles.Root, "tests", "EndToEnd", "node", "node_modules");

    [ToolFact("curl")]
    public async Task TheFirstRequestIsAnswered()
    {
        using var answer = JsonDocument.Parse(await RunAsync("/bin/sh", ["-c", Block("sh", "page table")]));
        Assert.NotEmpty(answer.RootElement.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString()!);
    }

    [ToolFact("curl")]
    public async Task TheSecondRequestOfASessionReusesTheFirst()
    {
        var output = await RunAsync("/bin/sh", ["-c", Block("sh", "Lisbon").Replace("\ncurl", "\necho\ncurl")]);
        var answers = output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement.GetProperty("usage")).ToArray();
        Assert.Equal(0, Cached(answers[0]));
        Assert.InRange(Cached(answers[1]), answers[0].GetProperty("total_tokens").GetInt32() - 1, int.MaxValue);
    }

    [ToolFact("node", needsFolder: "tests/EndToEnd/node/node_modules/openai")]
    public async Task TheNodeProgramRuns()
    {
        var folder = Directory.CreateTempSubdirectory("lserve-readme-").FullName;
        try
        {
            Directory.CreateSymbolicLink(Path.Combine(folder, "node_modules"), NodeModules);
            await File.WriteAllTextAsync(Path.Combine(folder, "readme.mjs"), Block("js", "OpenAI"));
            Assert.NotEmpty(await RunAsync("node", [Path.Combine(folder, "readme.mjs")]));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [ToolFact("python3", needsModule: "openai")]
    public async Task ThePythonProgramRuns() => Assert.NotEmpty(await RunAsync("python3", ["-c", Block("python", "OpenAI")]));

    private static int Cached(JsonElement usage) => usage.GetProperty("prompt_tokens_details").GetProperty("cached_tokens").GetInt32();

    private string Block(string language, string containing)
    {
        var readme = File.ReadAllText(Path.Combine(RepositoryFiles.Root, "README.md"));
        return Regex.Matches(readme, $"```{language}\n(.*?)```", RegexOptions.Singleline).Select(match => match.Groups[1].Value)
            .Single(block => block.Contains(containing)).Replace("http://127.0.0.1:8080", server.Address);
    }

    private static async Task<string> RunAsync(string program, string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, await error);
        return await output;
    }
}
