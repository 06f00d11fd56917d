using System.Diagnostics;
using System.Globalization;
using LServe.Client;
using LServe.Contracts;

namespace LServe.Bench.Sessions;

/// <summary>The real server as a process, which ends as a power switch ends it.</summary>
internal sealed class BenchServer : IAsyncDisposable
{
    private const string ReadyLine = "Ready at ";
    private readonly Process _process;

    private BenchServer(Process process, Uri address, double startMs) =>
        (_process, Client, StartMs) = (process, new(new LServeClientOptions { Address = address }), startMs);

    public LServeClient Client { get; }

    /// <summary>Milliseconds from starting the process to its line that it is ready.</summary>
    public double StartMs { get; }

    /// <summary>Bytes that the process had written to the disk, by the kernel's count; its own files and SQLite's.</summary>
    public long WrittenBytes => File.ReadLines($"/proc/{_process.Id}/io").Where(line => line.StartsWith("write_bytes:", StringComparison.Ordinal))
        .Select(line => long.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture)).First();

    public double ResidentMiB
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64 / (double)(1 << 20);
        }
    }

    /// <param name="folder">Where it keeps sessions, or <c>none</c>.</param>
    public static async Task<BenchServer> StartAsync(SessionsOptions options, string folder)
    {
        var begin = Stopwatch.GetTimestamp();
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true };
        string[] arguments =
        [
            options.Server, "--port", "0", "--model", options.Model, "--backend", "cpu", "--session-dir", folder,
            "--threads", options.Threads.ToString(CultureInfo.InvariantCulture), .. options.ServerOptions,
        ];
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        var process = Process.Start(start) ?? throw new InvalidOperationException("dotnet doesn't start.");
        while (await process.StandardOutput.ReadLineAsync() is { } line)
            if (line.StartsWith(ReadyLine, StringComparison.Ordinal))
                return new(process, new(line[ReadyLine.Length..].Split(' ')[0]), Stopwatch.GetElapsedTime(begin).TotalMilliseconds);
        throw new InvalidOperationException("The server ended before it was ready.");
    }

    /// <summary>Runs a turn of exactly as many tokens; its time to the first text, all its time, and what it used.</summary>
    public async Task<(double FirstMs, double AllMs, TurnUsage Usage)> SayAsync(string session, int prompt, int answer, int salt)
    {
        var request = new TurnRequest
        {
            PromptTokens = [.. Enumerable.Range(0, prompt).Select(i => 300 + (i * 7919 + salt * 104_729) % 20_000)],
            Sampling = new() { Temperature = 0, MaxTokens = answer, IgnoreEnd = true },
        };
        var (begin, first) = (Stopwatch.GetTimestamp(), 0.0);
        await foreach (var happened in Client.SendAsync(session, request))
            if (happened is TextDelta && first == 0) first = Stopwatch.GetElapsedTime(begin).TotalMilliseconds;
            else if (happened is TurnCompleted completed)
                return (first, Stopwatch.GetElapsedTime(begin).TotalMilliseconds, completed.Usage);
        throw new InvalidOperationException("The turn has no end.");
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
