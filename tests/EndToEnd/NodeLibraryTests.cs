using System.Diagnostics;
using LServe.Tests.Support;

namespace LServe.Tests.EndToEnd;

/// <summary>The server through OpenAI's own JavaScript library; the checks themselves are in <c>node/drive.mjs</c>.</summary>
public sealed class NodeLibraryTests(TinyServer server) : IClassFixture<TinyServer>
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);

    [NodeModulesTheory]
    [InlineData("chat-completion")]
    [InlineData("streamed-chat-equals-whole-chat")]
    [InlineData("text-completion")]
    [InlineData("kept-conversation")]
    [InlineData("errors")]
    public async Task Scenario(string name)
    {
        var start = new ProcessStartInfo("node", ["drive.mjs", server.Address.ToString(), name])
        {
            WorkingDirectory = NodeModulesTheoryAttribute.Folder,
            RedirectStandardError = true,
        };
        using var node = Process.Start(start)!;
        var errors = await node.StandardError.ReadToEndAsync().WaitAsync(s_patience);
        await node.WaitForExitAsync().WaitAsync(s_patience);

        Assert.True(node.ExitCode == 0, errors);
    }
}

/// <summary>Skips where the JavaScript library isn't installed.</summary>
internal sealed class NodeModulesTheoryAttribute : TheoryAttribute
{
    public NodeModulesTheoryAttribute()
    {
        if (!Directory.Exists(Path.Combine(Folder, "node_modules", "openai")))
            Skip = "tests/EndToEnd/node has no node_modules: run 'npm ci' there (Node 20 or newer).";
    }

    public static string Folder => Path.Combine(RepositoryFiles.Root, "tests", "EndToEnd", "node");
}
