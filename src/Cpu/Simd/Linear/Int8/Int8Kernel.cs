using System.Runtime.CompilerServices;
using LServe.Model;

namespace LServe.Cpu;

/// <summary>Products of 8-bit rows with weights of one tensor type at one width.</summary>
internal abstract unsafe class Int8Kernel
{
    /// <summary>
    /// Rows of a weight tile, <paramref name="weights"/>, <paramref name="rowBytes"/> apart, against rows of x; outputs go to
    /// <paramref name="target"/>.
    /// </summary>
    /// <param name="outputs">1 … <see cref="SimdMatrix.TileOutputs"/>.</param>
    /// <param name="scratch">Room for <see cref="ScratchBytes"/>.</param>
    public abstract void Multiply(QuantisedRows x, int firstRow, int rows, byte* weights, long rowBytes, int outputs, in OutputTile target, byte* scratch);

    /// <summary>Bytes of scratch for rows of <paramref name="columns"/>.</summary>
    public abstract long ScratchBytes(int columns);

    /// <summary>Null for types that are multiplied as floats.</summary>
    public static Int8Kernel? Create<L, F, D, V>(TensorType type)
        where L : ILanes<F> where F : struct where D : ICodeLanes<V, F> where V : struct => type switch
    {
        TensorType.Q4_0 => new Int8Kernel<L, F, D, V, Q4_0Codes>(),
        TensorType.Q4_1 => new Int8Kernel<L, F, D, V, Q4_1Codes>(),
        TensorType.Q8_0 => new Int8Kernel<L, F, D, V, Q8_0Codes>(),
        _ => null,
    };
}

/// <inheritdoc/>
internal sealed unsafe class Int8Kernel<L, F, D, V, TFormat> : Int8Kernel
    where L : ILanes<F>
    where F : struct
    where D : ICodeLanes<V, F>
    where V : struct
    where TFormat : ICodeFormat
{
    /// <summary>Blocks that are packed, while there are few rows, before they are multiplied: they stay in the first-level cache.</summary>
    private const int FewBlocks = 16;

    private static int Pair { [MethodImpl(MethodImplOptions.AggressiveInlining)] get => 2 * L.Width; }

    private static int BlockBytes { [MethodImpl(MethodImplOptions.AggressiveInlining)] get => CodeKernel<L, F, D, V>.BlockBytes(TFormat.Planes); }

    public override long ScratchBytes(int columns) =>
        (long)columns / QuantisedRows.Block * (2 * BlockBytes + Pair * TFormat.Bytes);

    public override void Multiply(QuantisedRows x, int firstRow, int rows, byte* weights, long rowBytes, int outputs, in OutputTile target, byte* scratch)
    {
        var copy = scratch + 2L * BlockBytes * x.Blocks;
        for (var first = 0; first < outputs; first += Pair)
        {
            var from = weights + first * rowBytes;
            if (first + Pair > outputs) from = WithZeroRows(from, rowBytes, outputs - first, copy);
            MultiplyPair(x, firstRow, rows, from, rowBytes, target.From(first, Math.Min(Pair, outputs - first)), scratch);
        }
    }

    /// <summary>The rows that are left, and rows of zeros after them.</summary>
    private static byte* WithZeroRows(byte* from, long rowBytes, int rows, byte* to)
    {
        Unsafe.CopyBlockUnaligned(to, from, (uint)(rows * rowBytes));
        Unsafe.InitBlockUnaligned(to + rows * rowBytes, 0, (uint)((Pair - rows) * rowBytes));
        return to;
    }

    private static void MultiplyPair(QuantisedRows x, int firstRow, int rows, byte* weights, long rowBytes, in OutputTile target, byte* packed)
    {
        const int most = CodeKernel<L, F, D, V>.Rows;
        var sums = stackalloc float[most * 2 * 16];
        var ahead = weights + Pair * rowBytes;
        var chunk = rows <= most ? FewBlocks : x.Blocks;
        for (var done = 0; done < rows; done += most)
        {
            var count = Math.Min(most, rows - done);
            new Span<float>(sums, most * Pair).Clear();
            for (var block = 0; block < x.Blocks; block += chunk)
            {
                var blocks = Math.Min(chunk, x.Blocks - block);
                if (done == 0) Pack(weights + block * TFormat.Bytes, rowBytes, blocks, packed, ahead + (long)block * Pair * TFormat.Bytes);
                Run(x, firstRow + done, count, block, packed, blocks, sums);
            }
            target.Write(firstRow + done, count, sums, Pair);
        }
    }

    private static void Run(QuantisedRows x, int row, int rows, int block, byte* packed, int blocks, float* sums)
    {
        var second = packed + (long)blocks * BlockBytes;
        if (rows == CodeKernel<L, F, D, V>.Rows)
        {
            CodeKernel<L, F, D, V>.Four(
                x.Codes(row) + block * QuantisedRows.Block, x.Scales(row) + 2 * block, x.Blocks, packed, second, TFormat.Planes, blocks, sums);
            return;
        }
        for (var i = 0; i < rows; i++)
            CodeKernel<L, F, D, V>.One(
                x.Codes(row + i) + block * QuantisedRows.Block, x.Scales(row + i) + 2 * block, packed, second, TFormat.Planes, blocks, sums + i * Pair);
    }

    /// <summary>
    /// Blocks of two groups of rows, one group after the other. The rows after them, which lie at <paramref name="ahead"/>, are asked for
    /// meanwhile: so many rows side by side are no pattern that the hardware's own prefetcher keeps up with.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Pack(byte* weights, long rowBytes, int blocks, byte* to, byte* ahead)
    {
        int blockBytes = BlockBytes, aheadBytes = L.Width * TFormat.Bytes;
        for (var group = 0; group < 2; group++, weights += L.Width * rowBytes)
        {
            var block = weights;
            for (var i = 0; i < blocks; i++, block += TFormat.Bytes, to += blockBytes, ahead += aheadBytes)
            {
                Prefetch.SecondLevel(ahead, aheadBytes);
                TFormat.Pack<L, F, D, V>(block, rowBytes, to);
            }
        }
    }
}
