using LServe.Cpu;
using LServe.Inference;
using LServe.Tests.Kernels.Cpu;

namespace LServe.Tests.Kernels.Sparse;

/// <summary>Scores, codes and sketches of the scalar reference against the definition's.</summary>
public class LServeFormulaTests
{
    private const double Tolerance = 1e-5;

    public static TheoryData<string> SketchCases => LServeCase.Names("sketch");
    public static TheoryData<string> ScoreCases => [.. LServeCase.All.Where(c => c.Has("scores")).Select(c => c.Name)];

    [Theory, MemberData(nameof(SketchCases))]
    public void Codes_are_equal_and_read_back_as_defined(string name)
    {
        var c = LServeCase.Named(name);
        var (tokens, dim, bits) = (c.Shape("k")[0], c.Shape("k")[1], c.Int("code_bits"));
        float[] keys = c.Values("k"), centre = c.Values("centre"), read = new float[keys.Length], sketched = new float[keys.Length];
        var codes = new byte[keys.Length];
        for (var token = 0; token < tokens; token++)
        {
            var at = token * dim;
            double[] vector = [.. Enumerable.Range(0, dim).Select(i => (double)keys[at + i] - centre[i])];
            ReferenceRotation.InPlace(vector);
            var own = codes.AsSpan(at, dim);
            var (scale, low) = ReferenceQuantise.Codes(vector, bits, own);
            ReferenceQuantise.Read(own, scale, low, vector);
            Unrotate(vector, read.AsSpan(at));
            ReferenceQuantise.Sketch(own, scale, low, c.Int("bits"), bits, vector);
            Unrotate(vector, sketched.AsSpan(at));
        }
        Assert.Equal(c.Values("codes"), Array.ConvertAll(codes, code => (float)code));
        AssertNear(c.Values("read"), read);
        AssertNear(c.Values("sketch2"), sketched);
    }

    [Theory, MemberData(nameof(ScoreCases))]
    public void Page_scores_are_as_defined(string name)
    {
        var c = LServeCase.Named(name);
        var (tokens, groups, dim, heads) = (c.Shape("k")[0], c.Shape("k")[1], c.Shape("k")[2], c.Shape("q")[0]);
        float[] keys = c.Values("k"), queries = c.Values("q");
        var scores = new List<float>();
        for (var group = 0; group < groups; group++)
        {
            float[][] own = [.. Enumerable.Range(0, tokens).Select(t => keys.AsSpan((t * groups + group) * dim, dim).ToArray())];
            var pages = own.Chunk(KvGeometry.PageTokens).Select(page => page.Chunk(KvGeometry.LogicalTokens).Select(l => Statistics(l, c.Options.Statistics)).ToArray()).ToArray();
            double[][] perQuery = [.. Enumerable.Range(group * heads / groups, heads / groups).Select(head => Scores(c.Options, [.. queries.AsSpan(head * dim, dim)], pages))];
            scores.AddRange(ReferenceScores.Combine(perQuery, c.Options.Policy, dim).Select(score => (float)score));
        }
        AssertNear(c.Values("scores"), [.. scores]);
    }

    /// <summary>A page with an infinite key, wherever it came in, scores nothing; a huge one is clamped and scores.</summary>
    [Theory]
    [InlineData(PageStatistics.Extremes, float.PositiveInfinity, false), InlineData(PageStatistics.Extremes, float.NegativeInfinity, false)]
    [InlineData(PageStatistics.Moments, float.PositiveInfinity, false), InlineData(PageStatistics.Moments, float.NaN, false)]
    [InlineData(PageStatistics.Extremes, 3e5f, true), InlineData(PageStatistics.Moments, 3e5f, true)]
    public void A_key_that_is_no_number_leaves_no_score(PageStatistics kind, float key, bool scores)
    {
        for (var at = 0; at < KvGeometry.LogicalTokens; at++)
        {
            var open = new float[2];
            var closed = new Half[2];
            for (var token = 0; token < KvGeometry.LogicalTokens; token++) ReferenceStatistics.Append(kind, token, [token == at ? key : 1], open);
            ReferenceStatistics.Close(kind, open, closed);
            var score = ReferenceScores.Best([ReferenceScores.Logical([1], Array.ConvertAll(closed, x => (double)x), kind, weight: 1)]);
            Assert.Equal(scores, score > double.NegativeInfinity);
        }
    }

    private static double[] Scores(LServeOptions options, float[] query, double[][][] pages)
    {
        var wide = Array.ConvertAll(query, q => (double)q);
        return Array.ConvertAll(pages, page => ReferenceScores.Best(page.Select(l => ReferenceScores.Logical(wide, l, options.Statistics, options.Deviation))));
    }

    /// <summary>Unrounded, in double precision.</summary>
    private static double[] Statistics(float[][] keys, PageStatistics kind)
    {
        var columns = Enumerable.Range(0, keys[0].Length).Select(i => Array.ConvertAll(keys, key => (double)key[i])).ToArray();
        return kind == PageStatistics.Extremes
            ? [.. columns.Select(c => c.Max()), .. columns.Select(c => c.Min())]
            : [.. columns.Select(c => c.Average()), .. columns.Select(c => Math.Sqrt(c.Average(x => (x - c.Average()) * (x - c.Average()))))];
    }

    private static void Unrotate(double[] vector, Span<float> to)
    {
        ReferenceRotation.InPlace(vector);
        for (var i = 0; i < vector.Length; i++) to[i] = (float)vector[i];
    }

    private static void AssertNear(float[] expected, float[] actual) => Assert.InRange(LogitMath.RelativeError(expected, actual), 0, Tolerance);
}
