using LServe.Inference;
using LServe.Tests.Support;

namespace LServe.Tests.Kernels.Sparse;

/// <summary>Random rows of queries, keys and values; every page of keys leans its own way, so that scores of pages differ.</summary>
internal static class LServeRows
{
    public static float[][] Random(LServeShape shape, int count, int seed)
    {
        var random = new Random(seed);
        var (keysFrom, valuesFrom) = (shape.Heads * shape.Dim, (shape.Heads + shape.KvHeads) * shape.Dim);
        var lean = new float[shape.KvHeads * shape.Dim];
        var rows = new float[count][];
        for (var row = 0; row < count; row++)
        {
            if (row % KvGeometry.PageTokens == 0)
                for (var i = 0; i < lean.Length; i++) lean[i] = RandomTensor.Gaussian(random);
            rows[row] = new float[shape.Columns];
            for (var i = 0; i < shape.Columns; i++)
                rows[row][i] = RandomTensor.Gaussian(random) + (i >= keysFrom && i < valuesFrom ? lean[i - keysFrom] : 0);
        }
        return rows;
    }

    /// <summary>The key of a KV head within a row.</summary>
    public static Span<float> Key(LServeShape shape, float[] row, int head) => row.AsSpan((shape.Heads + head) * shape.Dim, shape.Dim);

    /// <summary>The value of a KV head within a row.</summary>
    public static Span<float> Value(LServeShape shape, float[] row, int head) => row.AsSpan((shape.Heads + shape.KvHeads + head) * shape.Dim, shape.Dim);

    /// <summary>Decodes rows one by one as the engine would, renewing as the options say.</summary>
    public static float[][] Decode(LServeBed bed, LServeSequence sequence, IEnumerable<float[]> rows, int firstAfterPrompt) =>
        [.. rows.Select(row => bed.Step(Part(bed, sequence, row, firstAfterPrompt))[0])];

    public static LServePart Part(LServeBed bed, LServeSequence sequence, float[] row, int firstAfterPrompt) =>
        new(sequence, [row], Decode: true, bed.Shape.Options.MustRenew(sequence.Length, firstAfterPrompt));
}
