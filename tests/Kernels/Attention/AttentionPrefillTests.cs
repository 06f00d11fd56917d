using LServe.Cuda.Launch;
using LServe.Tests.Kernels.Cuda;

namespace LServe.Tests.Kernels.Attention;

/// <summary><see cref="AttentionPrefill"/> over pages that <see cref="AttentionAppend"/> wrote.</summary>
public class AttentionPrefillTests
{
    /// <summary>What binary16 queries, keys, values and weights cost.</summary>
    private const double Tolerance = 3e-3;

    public static TheoryData<string> Cases => new(All.Keys);

    /// <summary>The case, each sequence's first prompt position, and the position from which retrieval heads read lists.</summary>
    private static readonly Dictionary<string, (AttentionCase Case, int[] Starts, int Threshold)> All = new()
    {
        ["f16"] = (Case([1, 200, 65], 128, 2, 4, KvFormat.F16), [0, 0, 0], int.MaxValue),
        ["int8"] = (Case([300, 130], 128, 2, 4, KvFormat.Int8), [100, 127], int.MaxValue),
        ["k8v4, windows of 20 and 50"] = (Case([64, 449], 128, 3, 4, KvFormat.K8V4) with { Streaming = 2, Sink = 20, Local = 50 }, [0, 7], int.MaxValue),
        ["int4, lists"] = (Case([700], 128, 2, 4, KvFormat.Int4) with { Streaming = 1, Sink = 64, Local = 128 }, [0], 256),
        ["f16, lists"] = (Case([900, 513], 128, 1, 4, KvFormat.F16) with { Streaming = 0 }, [640, 384], 384),
        ["no window but the token"] = (Case([129, 70], 64, 2, 3, KvFormat.F16) with { Sink = 0, Local = 1 }, [0, 69], int.MaxValue),
        ["every head streams"] = (Case([400, 31], 64, 2, 3, KvFormat.Int8) with { Streaming = 2, Sink = 64, Local = 65 }, [0, 0], int.MaxValue),
        ["int4, three heads"] = (Case([333], 64, 2, 3, KvFormat.Int4), [128], int.MaxValue),
        ["eight heads of a group"] = (Case([300], 128, 2, 8, KvFormat.K8V4), [250], int.MaxValue),
        ["padded channels"] = (Case([150, 90], 80, 2, 2, KvFormat.Int4), [0, 30], int.MaxValue),
        ["96 channels"] = (Case([190], 96, 2, 1, KvFormat.K8V4), [0], int.MaxValue),
        ["256 channels"] = (Case([200], 256, 2, 2, KvFormat.K8V4), [0], int.MaxValue),
    };

    [GpuTheory]
    [MemberData(nameof(Cases))]
    public void AgreesWithFloat64(string name)
    {
        var (c, starts, threshold) = All[name];
        using var bed = new AttentionBed(c);
        var prompt = new PrefillPrompt(c, bed, starts, threshold);
        var output = prompt.Attend(prompt.Blocks);
        Assert.DoesNotContain(output, float.IsNaN);
        var (actual, expected) = (new List<float>(), new List<double>());
        foreach (var row in Enumerable.Range(0, prompt.Rows).Where(r => r % 17 == 0 || prompt.PositionOf(r) % 128 is 0 or 63 or 64 or 127 || r == prompt.Rows - 1))
        {
            actual.AddRange(output.AsSpan(row * prompt.Width, prompt.Width));
            expected.AddRange(prompt.Expected(row));
        }
        Values.AssertClose(actual.ToArray(), expected.ToArray(), Tolerance);
    }

    [GpuFact]
    public void APromptsBitsDontDependOnItsCuts()
    {
        var c = Case([500], 128, 2, 4, KvFormat.K8V4) with { Sink = 20, Local = 100 };
        using var bed = new AttentionBed(c);
        var prompt = new PrefillPrompt(c, bed, [0], int.MaxValue);
        var whole = prompt.Attend(prompt.Blocks);
        foreach (var (first, count) in new[] { (0, 77), (77, 51), (128, 1), (129, 371), (499, 1) })
        {
            List<PrefillBlock> blocks = [];
            AttentionPrefill.AddBlocks(blocks, first, count, first, 0, _ => -1);
            Assert.Equal(whole.AsSpan(first * prompt.Width, count * prompt.Width), prompt.Attend(blocks).AsSpan(first * prompt.Width, count * prompt.Width));
        }
    }

    [Fact]
    public void BlocksEndWherePositionsAreMultiplesOf128()
    {
        List<PrefillBlock> blocks = [];
        AttentionPrefill.AddBlocks(blocks, 5, 300, 100, 3, position => position >= 256 ? 1 : -1);
        Assert.Equal([new(5, 28, 100, 3, -1, 0, 0, 0), new(33, 128, 128, 3, -1, 0, 0, 0), new(161, 128, 256, 3, 1, 0, 0, 0), new(289, 16, 384, 3, 1, 0, 0, 0)], blocks);
        Assert.Equal([128, 100, 384, 256], AttentionPrefill.InOrder(blocks).Select(b => b.Position));
    }

    private static AttentionCase Case(int[] lengths, int headDim, int kvHeads, int group, KvFormat format) =>
        new(lengths, headDim, kvHeads, group, format, PagePolicy.Moments, Chunk: lengths.Max());
}
