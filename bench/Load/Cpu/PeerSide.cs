using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace LServe.Bench.Load;

/// <summary>llama.cpp's side, by cpu_peer.py in a process of its own.</summary>
internal sealed class PeerSide(CpuBenchOptions options)
{
    /// <exception cref="PeerException">The script can't be started or fails.</exception>
    public Task<IReadOnlyList<Figure>> MeasureAsync(int flash, int round) => MeasureAsync(
        flash,
        ["--prefill", List(CpuBenchOptions.OfRound(options.Prefill, round)), "--depths", List(CpuBenchOptions.OfRound(options.Depths, round)), "--streams", List(options.Streams)]);

    /// <summary>Prompts alone, with the attention that is its better one there, weights as the file has them.</summary>
    /// <exception cref="PeerException">As above.</exception>
    public Task<IReadOnlyList<Figure>> MeasurePlainAsync() =>
        MeasureAsync(1, ["--prefill", List(CpuBenchOptions.OfRound(options.Prefill, round: 2)), "--depths", "", "--streams", "", "--plain"]);

    private async Task<IReadOnlyList<Figure>> MeasureAsync(int flash, string[] what)
    {
        var result = Path.GetTempFileName();
        try
        {
            await RunAsync(flash, what, result);
            using var json = JsonDocument.Parse(await File.ReadAllTextAsync(result));
            var figures = json.RootElement.GetProperty("figures").EnumerateArray().Select(Read).ToArray();
            foreach (var figure in figures)
                Console.WriteLine($"  peer  {figure.What,-16} {figure.Median,9:F1} {figure.Unit}  (flash {flash}{(what[^1] == "--plain" ? ", plain" : "")})");
            return figures;
        }
        finally
        {
            File.Delete(result);
        }
    }

    private async Task RunAsync(int flash, string[] what, string result)
    {
        var start = new ProcessStartInfo("python3") { RedirectStandardError = true, RedirectStandardOutput = true };
        string[] arguments =
        [
            options.Peer!, options.Model, "--libs", options.Libraries!, "--threads", Text(options.Threads), "--flash", Text(flash), "--repeat", Text(options.Repeat),
            "--out", result, .. what,
        ];
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        try
        {
            using var process = Process.Start(start) ?? throw new PeerException("python3 doesn't start.");
            var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            await process.WaitForExitAsync();
            await output;
            if (process.ExitCode != 0 || new FileInfo(result).Length == 0)
                throw new PeerException($"{options.Peer} failed ({process.ExitCode}): {(await errors).Trim().Split('\n')[^1]}");
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new PeerException($"python3 doesn't start: {e.Message}");
        }
    }

    /// <summary>The script gives a median and a spread, not single values.</summary>
    private static Figure Read(JsonElement figure) => new(
        figure.GetProperty("what").GetString()!, figure.GetProperty("unit").GetString()!, [figure.GetProperty("median").GetDouble()]);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string List(int[] numbers) => string.Join(',', numbers.Select(Text));
}

/// <summary>The other side of a comparison couldn't be measured.</summary>
internal sealed class PeerException(string message) : Exception(message);
