using LServe.Cuda.Driver;
using LServe.Model;

namespace LServe.Cuda.Launch;

/// <summary>Weights [Rows, Columns] of one format on the device.</summary>
internal sealed class PackedMatrix(WeightFormat format, int rows, int columns, DeviceMemory data, DeviceMemory? bias, DeviceMemory? rowScale) : IDisposable
{
    public WeightFormat Format => format;
    public int Rows => rows;
    public int Columns => columns;
    public ulong Data => data.Address;
    public ulong Bias => bias?.Address ?? 0;
    public ulong RowScale => rowScale?.Address ?? 0;

    /// <summary>Bytes of codes and scales of groups, at <see cref="Data"/>.</summary>
    public long Bytes => data.Bytes;

    /// <param name="parts">Rows one below the other, all stored in types of one <see cref="WeightFormat"/>.</param>
    /// <param name="bias">[Rows] or null.</param>
    public static PackedMatrix Load(ReadOnlySpan<Tensor> parts, float[]? bias)
    {
        var format = WeightFormats.Of(parts[0].Type);
        var rows = 0;
        foreach (var part in parts) rows += part.Rows;
        return new(format, rows, parts[0].Columns, Upload<byte>(WeightPacker.Pack(format, parts)), bias is null ? null : Upload<float>(bias), null);
    }

    private static DeviceMemory Upload<T>(ReadOnlySpan<T> values) where T : unmanaged
    {
        var memory = DeviceMemory.Allocate((long)values.Length * System.Runtime.CompilerServices.Unsafe.SizeOf<T>());
        memory.Upload(values);
        return memory;
    }

    public void Dispose()
    {
        data.Dispose();
        bias?.Dispose();
        rowScale?.Dispose();
    }
}
