using System.Diagnostics;
using LServe.Tests.Support;

namespace LServe.Tests.EndToEnd.Readme;

/// <summary>The server of <c>./lserve serve</c> as it was built, on a free port.</summary>
public sealed class ReadmeServer : IAsyncLifetime
{
    private Process? _process;

    /// <summary>Without a slash at its end.</summary>
    public string Address { get; private set; } = "";

    public async Task InitializeAsync()
    {
        var configuration = Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        var program = Path.Combine(RepositoryFiles.Root, "artifacts", "bin", "LServe.Silo", configuration, "LServe.Silo.dll");
        _process = Process.Start(new ProcessStartInfo("dotnet", [program, "--port", "0"]) { RedirectStandardOutput = true })!;
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
            if (line.Split(' ').FirstOrDefault(word => word.StartsWith("http://", StringComparison.Ordinal)) is { } address)
            {
                Address = address.TrimEnd('/');
                return;
            }
        throw new InvalidOperationException($"The server ended with code {_process.ExitCode} before it was ready.");
    }

    public async Task DisposeAsync()
    {
        if (_process is null) return;
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
