using System.Text.Json;
using System.Text.Json.Serialization;

namespace LServe.Bench.Kernels;

/// <summary>One measured row.</summary>
/// <param name="Kernel">What ran.</param>
/// <param name="Case">Its shape.</param>
/// <param name="Bytes">That must move through device memory.</param>
/// <param name="Flops">That must be done.</param>
/// <param name="FloorMicroseconds">A cold read of the same bytes, measured in this run, or the arithmetic's time where that is larger.</param>
/// <param name="OfFloor">Measured ÷ floor: 1 is the floor.</param>
internal sealed record Row(
    string Kernel, string Case, double Microseconds, double Spread, long Bytes, double Flops, double FloorMicroseconds, double OfFloor);

/// <summary>A run's figures with what they belong to.</summary>
internal sealed record Report(
    string Command, string Commit, string Date, string Card, string Driver, int Multiprocessors, long L2Bytes, List<Row> Rows, List<string> Sums)
{
    /// <summary>Keeps and prints a row.</summary>
    public void Add(Row row)
    {
        Rows.Add(row);
        Console.WriteLine($"{row.Kernel,-24} {row.Case,-34} {row.Microseconds,9:0.00} us  {row.Bytes / row.Microseconds / 1000,7:0} GB/s  {row.Flops / row.Microseconds / 1e6,6:0.0} TFLOP/s  x{row.OfFloor:0.00} of floor");
    }

    /// <summary>Keeps and prints a sentence about several rows.</summary>
    public void Add(string sum)
    {
        Sums.Add(sum);
        Console.WriteLine(sum);
    }

    public void Save(string path) => File.WriteAllText(path, JsonSerializer.Serialize(this, ReportContext.Default.Report) + "\n");
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Report))]
internal sealed partial class ReportContext : JsonSerializerContext;
