using LServe.Inference;
using LServe.Model;

namespace LServe.Cpu;

/// <summary>A matrix as the linear kernels read it: tiles of <see cref="TileOutputs"/> outputs that never cross two parts.</summary>
internal sealed unsafe class SimdMatrix : IDeviceWeight
{
    /// <summary>Outputs of a tile: 32 rows of floats for 1,536 inputs take 192 KiB, which a core's second-level cache holds beside the rows of x.</summary>
    public const int TileOutputs = 32;

    /// <param name="Weights">First byte of the tile's first row.</param>
    /// <param name="Output">The matrix's output this row is.</param>
    public readonly record struct Tile(WeightKernel Kernel, nint Weights, long RowBytes, int Output, int Outputs);

    private readonly HostMatrix _matrix;
    private readonly List<Tile> _tiles = [];

    public SimdMatrix(HostMatrix matrix, Func<TensorType, WeightKernel> kernels)
    {
        _matrix = matrix;
        var output = 0;
        foreach (var part in matrix.Parts)
        {
            var kernel = kernels(part.Type);
            ReadsInt8 |= kernel.Int8 is not null && Columns % QuantisedRows.Block == 0;
            for (var row = 0; row < part.Rows; row += TileOutputs)
            {
                var count = Math.Min(TileOutputs, part.Rows - row);
                _tiles.Add(new(kernel, (nint)(part.Address + row * part.RowBytes), part.RowBytes, output, count));
                output += count;
            }
        }
    }

    public int Rows => _matrix.Rows;
    public int Columns => _matrix.Columns;
    public float[]? Bias => _matrix.Bias;
    public int Tiles => _tiles.Count;

    /// <summary>Whether any tile is multiplied with rows of x in 8 bits.</summary>
    public bool ReadsInt8 { get; }

    public Tile this[int tile] => _tiles[tile];

    /// <summary>Writes row <paramref name="row"/> as floats.</summary>
    public void ReadRow(int row, Span<float> to)
    {
        var (part, partRow) = _matrix.Locate(row);
        TensorFormat.Dequantise(part.Type, part.Row(partRow), to);
    }

    public void Dispose() => _matrix.Dispose();
}
