using System.Numerics.Tensors;
using LServe.Cpu;
using LServe.Inference;

namespace LServe.Eval;

/// <summary>One head's keys in an exact cache: [D][64] float16 a page.</summary>
internal sealed unsafe class ExactKeys(KvPages cache, TwoWayPageTable pages, HeadPlace place)
{
    private const int Tokens = KvGeometry.PageTokens;

    /// <summary>Share of each query's softmax over the first <paramref name="length"/> tokens that falls on those seen.</summary>
    /// <param name="queries">[count, D], rotated by their position.</param>
    /// <param name="seen">One bit a token, page by page.</param>
    public float[] Masses(ReadOnlySpan<float> queries, int count, int length, ReadOnlySpan<ulong> seen)
    {
        var (dim, stride) = (queries.Length / count, seen.Length * Tokens);
        var scores = new float[count * stride];
        for (var page = 0; page < seen.Length; page++) AddScores(queries, count, page, scores, stride);
        var masses = new float[count];
        for (var q = 0; q < count; q++) masses[q] = Mass(scores.AsSpan(q * stride, length), dim, seen);
        return masses;
    }

    private void AddScores(ReadOnlySpan<float> queries, int count, int page, Span<float> scores, int stride)
    {
        var dim = queries.Length / count;
        var keys = new ReadOnlySpan<Half>(cache.Head(pages, place, page), dim * Tokens);
        Span<float> channel = stackalloc float[Tokens];
        for (var c = 0; c < dim; c++)
        {
            TensorPrimitives.ConvertToSingle(keys.Slice(c * Tokens, Tokens), channel);
            for (var q = 0; q < count; q++)
            {
                var to = scores.Slice(q * stride + page * Tokens, Tokens);
                TensorPrimitives.MultiplyAdd(channel, queries[q * dim + c], to, to);
            }
        }
    }

    private static float Mass(Span<float> scores, int dim, ReadOnlySpan<ulong> seen)
    {
        TensorPrimitives.Multiply(scores, 1 / MathF.Sqrt(dim), scores);
        TensorPrimitives.SoftMax(scores, scores);
        var read = 0f;
        for (var token = 0; token < scores.Length; token++)
            if ((seen[token / Tokens] >> token % Tokens & 1) != 0) read += scores[token];
        return read;
    }
}
