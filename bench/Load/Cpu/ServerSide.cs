using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using LServe.Cpu;
using LServe.Inference;
using LServe.Model;

namespace LServe.Bench.Load;

/// <summary>What the server costs before and besides computing.</summary>
/// <param name="StartMs">Milliseconds from starting the process to its line that it is ready, each start.</param>
/// <param name="ResidentMiB">After a prompt and its answer, memory mapped from the model file included.</param>
/// <param name="AllowedMiB">120 MB + 1.1 × (file + KV in use).</param>
/// <param name="KvTokens">Tokens of that prompt and answer.</param>
internal sealed record ServerFigures(IReadOnlyList<double> StartMs, double ResidentMiB, double AllowedMiB, int KvTokens);

/// <summary>The real server, as a process: how soon it is ready, and what memory it holds after it has read a long prompt.</summary>
internal sealed class ServerSide(CpuBenchOptions options)
{
    private const string ReadyLine = "Ready at ";
    private const int PromptWords = 1500, AnswerTokens = 8;
    private const double MiB = 1 << 20;

    /// <exception cref="PeerException">The server ends before it is ready.</exception>
    public async Task<ServerFigures> MeasureAsync()
    {
        var starts = new List<double>();
        var (resident, tokens) = (0L, 0);
        for (var start = 0; start < options.Starts; start++)
        {
            var begin = Stopwatch.GetTimestamp();
            using var process = Process.Start(StartInfo()) ?? throw new PeerException("dotnet doesn't start.");
            try
            {
                var address = await AddressAsync(process);
                starts.Add(Stopwatch.GetElapsedTime(begin).TotalMilliseconds);
                if (start + 1 < options.Starts) continue;
                tokens = await AnswerAsync(address);
                process.Refresh();
                resident = process.WorkingSet64;
            }
            finally
            {
                process.Kill();
                await process.WaitForExitAsync();
            }
        }
        var figures = new ServerFigures(starts, resident / MiB, Allowed(tokens) / MiB, tokens);
        Console.WriteLine($"  ready after {new Figure("", "ms", starts).Median:F0} ms; {figures.ResidentMiB:F0} MiB resident with {tokens} tokens of KV, {figures.AllowedMiB:F0} allowed");
        return figures;
    }

    private ProcessStartInfo StartInfo()
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true };
        string[] arguments =
        [
            options.Server, "--port", "0", "--model", options.Model, "--backend", "cpu", "--activations", options.Activations.Name(),
            "--threads", options.Threads.ToString(CultureInfo.InvariantCulture),
        ];
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        return start;
    }

    private static async Task<Uri> AddressAsync(Process process)
    {
        while (await process.StandardOutput.ReadLineAsync() is { } line)
            if (line.StartsWith(ReadyLine, StringComparison.Ordinal)) return new(line[ReadyLine.Length..].Split(' ')[0]);
        throw new PeerException("The server ended before it was ready.");
    }

    /// <summary>Tokens of a prompt and its answer.</summary>
    private static async Task<int> AnswerAsync(Uri address)
    {
        using var client = new HttpClient { BaseAddress = address, Timeout = TimeSpan.FromMinutes(5) };
        var prompt = string.Join(' ', Enumerable.Range(0, PromptWords).Select(i => i % 7 == 0 ? "river" : "house"));
        using var response = await client.PostAsJsonAsync("v1/completions", new { prompt, max_tokens = AnswerTokens });
        response.EnsureSuccessStatusCode();
        using var body = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        return body.RootElement.GetProperty("usage").GetProperty("total_tokens").GetInt32();
    }

    private double Allowed(int tokens)
    {
        using var model = ModelFile.Open(options.Model);
        var config = model.Config;
        var kv = KvGeometry.PagesFor(tokens) * new KvGeometry(config.Layers, config.KvHeads, config.HeadDim, KvPrecision.F16, 1).PageBytes;
        return 120e6 + 1.1 * (new FileInfo(options.Model).Length + kv);
    }
}
