using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace LServe.Bench.Sparse;

/// <summary>llama.cpp's side, by cpu_peer.py in a process of its own: the same prompt and depths.</summary>
internal static class Peer
{
    /// <exception cref="FormatException">The script can't be started or fails.</exception>
    public static async Task<IEnumerable<Sample>> MeasureAsync(SparseOptions options, int flash)
    {
        var result = Path.GetTempFileName();
        try
        {
            string[] arguments =
            [
                options.Peer!, options.Model!, "--libs", options.Libraries ?? throw new FormatException("--peer needs --libs FOLDER."), "--threads", Text(options.Threads),
                "--flash", Text(flash), "--repeat", "1", "--prefill", Text(options.Prefill), "--depths", string.Join(',', options.Depths.Select(Text)), "--streams", "", "--out", result,
            ];
            using var process = Process.Start(new ProcessStartInfo("python3", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })
                ?? throw new FormatException("python3 doesn't start.");
            var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            await process.WaitForExitAsync();
            await output;
            if (process.ExitCode != 0) throw new FormatException($"{options.Peer} failed ({process.ExitCode}): {(await errors).Trim().Split('\n')[^1]}");
            using var json = JsonDocument.Parse(await File.ReadAllTextAsync(result));
            return [.. json.RootElement.GetProperty("figures").EnumerateArray().Select(f => new Sample(
                $"llama.cpp, flash {flash}", f.GetProperty("what").GetString()!, f.GetProperty("unit").GetString()!, f.GetProperty("median").GetDouble()))];
        }
        finally
        {
            File.Delete(result);
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
