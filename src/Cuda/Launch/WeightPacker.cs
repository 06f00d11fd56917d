using System.Buffers.Binary;
using LServe.Model;

namespace LServe.Cuda.Launch;

/// <summary>
/// Brings weights into the order of <c>kernels/include/lserve/weights.cuh</c>: tiles of 16 outputs, units of 32 inputs; codes as the file has them, each
/// where the lane that multiplies it reads. Keep the two files in step.
/// </summary>
internal static unsafe class WeightPacker
{
    private const int BlockColumns = 32, LaneColumns = 8, Lanes = 32;

    /// <summary>Packs the rows of <paramref name="parts"/>, one below the other, all of one format. Missing rows of the last tile are zeros.</summary>
    /// <exception cref="NotSupportedException">Inputs that aren't a multiple of 32, or a weight beyond binary16.</exception>
    public static byte[] Pack(WeightFormat format, ReadOnlySpan<Tensor> parts)
    {
        var columns = parts[0].Columns;
        if (columns % BlockColumns != 0)
            throw new NotSupportedException($"{parts[0].Name} has {columns} inputs; the GPU backend needs a multiple of {BlockColumns}. Use --backend cpu.");
        var rows = new List<(Tensor Tensor, int Row)>();
        foreach (var part in parts)
            for (var r = 0; r < part.Rows; r++) rows.Add((part, r));
        var packed = new byte[format.Bytes(rows.Count, columns)];
        var tileBytes = columns / BlockColumns * format.UnitBytes();
        Parallel.For(0, packed.Length / tileBytes, tile =>
        {
            var values = new float[columns];
            for (var r = 0; r < WeightFormats.TileRows && tile * WeightFormats.TileRows + r < rows.Count; r++)
            {
                var (tensor, row) = rows[tile * WeightFormats.TileRows + r];
                PackRow(format, tensor, row, r, packed.AsSpan(tile * tileBytes, tileBytes), values);
            }
        });
        return packed;
    }

    private static void PackRow(WeightFormat format, Tensor tensor, int row, int r, Span<byte> tile, Span<float> values)
    {
        var source = tensor.Row(row);
        var blocks = tensor.Columns / BlockColumns;
        switch (format)
        {
            case WeightFormat.F16:
                TensorFormat.Dequantise(tensor.Type, source, values);
                for (var b = 0; b < blocks; b++) PackF16(values.Slice(b * BlockColumns, BlockColumns), r, tile.Slice(b * 1024, 1024), tensor.Name);
                break;
            case WeightFormat.Q8_0:
                for (var b = 0; b < blocks; b++) PackQ8(source.Slice(b * 34, 34), r, tile.Slice(b * 544, 544));
                break;
            case WeightFormat.Q4_0:
                for (var b = 0; b < blocks; b++) PackQ4(source.Slice(b * 18, 18), scales: 1, r, tile.Slice(b * 288, 288));
                break;
            case WeightFormat.Q4_1:
                for (var b = 0; b < blocks; b++) PackQ4(source.Slice(b * 20, 20), scales: 2, r, tile.Slice(b * 320, 320));
                break;
            default: throw new NotSupportedException($"No file stores {format}.");
        }
    }

    private static void PackF16(ReadOnlySpan<float> values, int r, Span<byte> unit, string name)
    {
        for (var k = 0; k < BlockColumns; k++)
        {
            var half = (Half)values[k];
            if (!Half.IsFinite(half)) throw new NotSupportedException($"{name} holds {values[k]:g4}, which the GPU backend's 16-bit weights can't. Use --backend cpu.");
            var at = ((r / 8 * Lanes + Lane(r, k)) * LaneColumns + k % LaneColumns) * 2;
            BinaryPrimitives.WriteHalfLittleEndian(unit[at..], half);
        }
    }

    private static void PackQ8(ReadOnlySpan<byte> block, int r, Span<byte> unit)
    {
        for (var k = 0; k < BlockColumns; k++) unit[Lane(r, k) * 16 + r / 8 * 8 + k % LaneColumns] = (byte)(block[2 + k] ^ 0x80);
        block[..2].CopyTo(unit[(512 + (r % 8 * 2 + r / 8) * 2)..]);
    }

    /// <summary>GGUF keeps input k in the low nibble of byte k and input k + 16 in its high one, behind one or two binary16 numbers.</summary>
    private static void PackQ4(ReadOnlySpan<byte> block, int scales, int r, Span<byte> unit)
    {
        var codes = block[(2 * scales)..];
        for (var k0 = 0; k0 < BlockColumns; k0 += LaneColumns)
        {
            var word = 0u;
            for (var j = 0; j < LaneColumns; j++)
            {
                var k = k0 + j;
                var code = k < 16 ? codes[k] & 15 : codes[k - 16] >> 4;
                word |= (uint)code << (4 * (j / 2 + 4 * (j % 2)));
            }
            BinaryPrimitives.WriteUInt32LittleEndian(unit[((Lane(r, k0) * 2 + r / 8) * 4)..], word);
        }
        for (var s = 0; s < scales; s++) block.Slice(2 * s, 2).CopyTo(unit[(256 + (r % 8 * scales * 2 + s * 2 + r / 8) * 2)..]);
    }

    private static int Lane(int r, int k) => 4 * (r % 8) + k / LaneColumns;
}
