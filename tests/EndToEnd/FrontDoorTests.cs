using System.Diagnostics;
using LServe.Tests.Support;

namespace LServe.Tests.EndToEnd;

/// <summary>What <c>./lserve</c> does without building anything.</summary>
public class FrontDoorTests
{
    [Theory]
    [InlineData()]
    [InlineData("--help")]
    [InlineData("help")]
    public async Task HelpListsTheCommands(params string[] arguments)
    {
        var (code, output, _) = await RunAsync(arguments);
        Assert.Equal(0, code);
        foreach (var command in new[] { "serve", "chat", "sessions", "tokenize", "doctor", "bench", "test" }) Assert.Contains($"\n  {command} ", output);
    }

    [Fact]
    public async Task AnUnknownCommandIsOneLine()
    {
        var (code, output, error) = await RunAsync(["fly"]);
        Assert.Equal((2, ""), (code, output));
        Assert.Equal("lserve: there is no command 'fly'; ./lserve --help lists them\n", error);
    }

    [Fact]
    public async Task TheVariableChoosesTheEdition()
    {
        var (code, output, _) = await RunAsync(["--edition"], edition: "single");
        Assert.Equal((0, "single (LSERVE_EDITION says so)\n"), (code, output));
        Assert.Equal(2, (await RunAsync(["--edition"], edition: "double")).Code);
    }

    [Fact]
    public async Task ItWorksThroughALinkFromAnotherFolder()
    {
        var folder = Directory.CreateTempSubdirectory("lserve-link-");
        try
        {
            var link = Path.Combine(folder.FullName, "lserve");
            File.CreateSymbolicLink(link, Path.Combine(RepositoryFiles.Root, "lserve"));
            var (code, output, _) = await RunAsync(["--edition"], edition: "cluster", script: link, from: folder.FullName);
            Assert.Equal((0, "cluster (LSERVE_EDITION says so)\n"), (code, output));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task WithoutTheSdkItSaysWhatToInstall()
    {
        var (code, _, error) = await RunAsync(["serve"], edition: "single", path: "");
        Assert.Equal(1, code);
        Assert.Contains("dotnet-sdk-10.0", error);
    }

    /// <param name="path">The PATH; null keeps this process's.</param>
    private static async Task<(int Code, string Output, string Error)> RunAsync(
        string[] arguments, string? edition = null, string? script = null, string? from = null, string? path = null)
    {
        script ??= Path.Combine(RepositoryFiles.Root, "lserve");
        var start = new ProcessStartInfo("/bin/sh", [script, .. arguments])
        {
            RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = from ?? Path.GetTempPath(),
        };
        if (edition is not null) start.Environment["LSERVE_EDITION"] = edition;
        if (path is not null) start.Environment["PATH"] = CoreUtilities();
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await error);
    }

    /// <summary>A folder with what the script itself calls, and no <c>dotnet</c>.</summary>
    private static string CoreUtilities()
    {
        var folder = Directory.CreateTempSubdirectory("lserve-path-").FullName;
        foreach (var name in new[] { "dirname", "readlink", "mkdir", "cat" })
            foreach (var place in new[] { "/usr/bin", "/bin" })
                if (File.Exists(Path.Combine(place, name)) && !File.Exists(Path.Combine(folder, name)))
                    File.CreateSymbolicLink(Path.Combine(folder, name), Path.Combine(place, name));
        return folder;
    }
}
