using System.Diagnostics;
using System.Text.RegularExpressions;
using LServe.Tests.Support;

namespace LServe.Tests.EndToEnd;

/// <summary>The real server as a process of its own, on a free port.</summary>
public sealed partial class ServerProcess : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);
    private readonly Process _process;

    private readonly TemporaryFolder? _sessions;

    private ServerProcess(Process process, string readyLine, TemporaryFolder? sessions)
    {
        _sessions = sessions;
        (_process, ReadyLine) = (process, readyLine);
        Address = new Uri(AddressPattern().Match(readyLine).Groups[1].Value);
        Http = new HttpClient { BaseAddress = Address, Timeout = s_patience };
    }

    /// <summary>With a slash at the end.</summary>
    public Uri Address { get; }

    /// <summary>What the server printed once it was ready.</summary>
    public string ReadyLine { get; }

    public HttpClient Http { get; }

    /// <summary>Starts a server and waits until it is ready.</summary>
    public static Task<ServerProcess> StartAsync(params string[] arguments) => StartAsync(arguments, []);

    /// <summary>The same with variables in its environment.</summary>
    public static async Task<ServerProcess> StartAsync(string[] arguments, params (string Name, string Value)[] variables)
    {
        var sessions = arguments.Contains("--session-dir") ? null : new TemporaryFolder();
        var process = Launch(["--port", "0", .. sessions is null ? arguments : ["--session-dir", sessions.Path, .. arguments]], variables);
        var line = await process.StandardOutput.ReadLineAsync().WaitAsync(s_patience);
        if (line is null)
            throw new InvalidOperationException($"The server didn't start: {await process.StandardError.ReadToEndAsync()}");
        _ = process.StandardError.ReadToEndAsync();
        return new ServerProcess(process, line, sessions);
    }

    /// <summary>Runs a server that is expected to end by itself.</summary>
    public static Task<(int Code, string Output, string Errors)> RunToEndAsync(params string[] arguments) => RunToEndAsync(arguments, []);

    /// <summary>The same with variables in its environment.</summary>
    public static async Task<(int Code, string Output, string Errors)> RunToEndAsync(
        string[] arguments, params (string Name, string Value)[] variables)
    {
        using var process = Launch(arguments, variables);
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync().WaitAsync(s_patience);
        return (process.ExitCode, await output, await errors);
    }

    /// <summary>Asks the server to stop, as service managers do, and gives its exit code.</summary>
    public async Task<int> TerminateAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", _process.Id.ToString()]);
        await kill.WaitForExitAsync();
        await _process.WaitForExitAsync().WaitAsync(s_patience);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        if (!_process.HasExited)
            _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _sessions?.Dispose();
    }

    /// <summary>Whether the server ended by itself within a time.</summary>
    public async Task<bool> WaitForEndAsync(TimeSpan patience)
    {
        using var over = new CancellationTokenSource(patience);
        await _process.WaitForExitAsync(over.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return _process.HasExited;
    }

    /// <summary>Ends the server with no chance to do anything about it.</summary>
    public async Task KillAsync()
    {
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
    }

    private static Process Launch(string[] arguments, params (string Name, string Value)[] variables)
    {
        // The folder below artifacts/bin/PROJECT is the build's configuration; the server was built in the same one.
        var configuration = Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        var server = Path.Combine(RepositoryFiles.Root, "artifacts", "bin", "LServe.Silo", configuration, "LServe.Silo.dll");
        var start = new ProcessStartInfo("dotnet", ["exec", server, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        // A test's server touches no folder of the person who runs the tests.
        start.Environment["LSERVE_SESSION_DIR"] = "none";
        foreach (var (name, value) in variables)
            start.Environment[name] = value;
        return Process.Start(start)!;
    }

    [GeneratedRegex(@"^Ready at (http://\S+/) ")]
    private static partial Regex AddressPattern();
}
