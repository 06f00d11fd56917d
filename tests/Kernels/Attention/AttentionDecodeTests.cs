using LServe.Cuda.Launch;
using LServe.Tests.Kernels.Cuda;

namespace LServe.Tests.Kernels.Attention;

/// <summary><see cref="AttentionDecode"/> over pages that <see cref="AttentionAppend"/> wrote, launched by <see cref="AttentionStep"/>.</summary>
public class AttentionDecodeTests
{
    /// <summary>What binary16 weights and, past four heads of a group, binary16 queries cost.</summary>
    private const double Tolerance = 1e-5, ToleranceOfLargeGroups = 1e-3;

    public static TheoryData<string> Cases => new(All.Keys);

    private static readonly Dictionary<string, AttentionCase> All = new()
    {
        ["ragged, k8v4"] = new([1, 700, 64, 65, 15, 333], 128, 3, 4, KvFormat.K8V4, PagePolicy.Moments),
        ["ragged, f16"] = new([1, 130, 64, 65, 300], 128, 2, 4, KvFormat.F16, PagePolicy.Quest),
        ["ragged, int8, three heads"] = new([200, 17, 449], 64, 3, 3, KvFormat.Int8, PagePolicy.TwoStage),
        ["ragged, int4"] = new([513, 80], 128, 2, 4, KvFormat.Int4, PagePolicy.Moments),
        ["long enough for many parts"] = new([8000], 64, 1, 3, KvFormat.Int4, PagePolicy.Quest, Streaming: 0),
        ["every head streams"] = new([1, 400, 64], 128, 2, 4, KvFormat.K8V4, PagePolicy.Moments, Streaming: 2, Sink: 20, Local: 50),
        ["a window of one token"] = new([129, 70], 64, 2, 3, KvFormat.F16, PagePolicy.Moments, Sink: 0, Local: 1),
        ["eight heads of a group"] = new([300, 40], 128, 2, 8, KvFormat.K8V4, PagePolicy.Moments),
        ["padded channels"] = new([150, 90], 80, 2, 2, KvFormat.Int4, PagePolicy.Moments),
        ["96 channels"] = new([190], 96, 2, 1, KvFormat.K8V4, PagePolicy.Moments),
        ["256 channels"] = new([140], 256, 2, 2, KvFormat.K8V4, PagePolicy.Moments),
    };

    [GpuTheory]
    [MemberData(nameof(Cases))]
    public void AllPages(string name)
    {
        var c = All[name];
        using var bed = new AttentionBed(c);
        var step = new AttentionStep(c, bed, [.. Enumerable.Range(0, c.Lengths.Length)]);
        var output = step.Attend(dense: true);
        var width = output.Length / c.Lengths.Length;
        for (var row = 0; row < c.Lengths.Length; row++)
            Values.AssertClose(output.AsSpan(row * width, width), step.Expected(row, _ => null), c.Group > 4 ? ToleranceOfLargeGroups : Tolerance);
    }

    [GpuTheory]
    [MemberData(nameof(Cases))]
    public void ChosenPages(string name)
    {
        var c = All[name];
        if (c.RetrievalHeads == 0) return;
        using var bed = new AttentionBed(c);
        var step = new AttentionStep(c, bed, [.. Enumerable.Range(0, c.Lengths.Length)]);
        step.Select();
        var output = step.Attend(dense: false);
        var width = output.Length / c.Lengths.Length;
        for (var row = 0; row < c.Lengths.Length; row++)
            Values.AssertClose(output.AsSpan(row * width, width), step.Expected(row, place => step.Pages(row, place)), c.Group > 4 ? ToleranceOfLargeGroups : Tolerance);
    }

    [Fact]
    public void PartialResultsCountSumsAndWeights() => Assert.Equal(10 * 4 * (128 + 2), AttentionDecode.PartialFloats(new(new(128, KvFormat.K8V4), 4), 10));

    [GpuFact]
    public void ARowAloneAndInABatchHasTheSameBits()
    {
        var random = new Random(3);
        int[] lengths = [.. Enumerable.Range(0, 31).Select(_ => random.Next(1, 900)), 2000];
        var c = new AttentionCase(lengths, 128, 2, 4, KvFormat.K8V4, PagePolicy.TwoStage);
        using var bed = new AttentionBed(c);
        var together = new AttentionStep(c, bed, [.. Enumerable.Range(0, lengths.Length)]);
        together.Select();
        var output = together.Attend(dense: false);
        var width = output.Length / lengths.Length;
        foreach (var row in new[] { 31, 7 })
        {
            var alone = new AttentionStep(c, bed, [row]);
            alone.Select();
            Assert.Equal(output.AsSpan(row * width, width).ToArray(), alone.Attend(dense: false));
            Assert.Equal(together.Pages(row, 0), alone.Pages(0, 0));
        }
    }
}
