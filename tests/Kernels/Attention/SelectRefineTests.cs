using LServe.Cuda.Launch;
using LServe.Tests.Kernels.Cuda;

namespace LServe.Tests.Kernels.Attention;

public class SelectRefineTests
{
    public static TheoryData<string, int, int, int, int[]> Cases => new()
    {
        { "K8V4", 128, 4, 2, Many }, { "K8V4", 128, 4, 4, Many }, { "Int4", 128, 4, 2, Many }, { "Int8", 64, 3, 4, Many }, { "F16", 64, 3, 2, Many }, { "K8V4", 128, 8, 2, Many },
        { "K8V4", 128, 4, 2, Few }, { "Int4", 128, 4, 2, Few }, { "F16", 64, 3, 2, Few }, { "K8V4", 128, 8, 2, Few },
    };

    private static int[] Many => [4, 1, 0, 3, 2];
    private static int[] Few => [0, 4];

    [GpuTheory]
    [MemberData(nameof(Cases))]
    public void TheSketchChoosesAmongCandidates(string format, int headDim, int group, int bits, int[] rows)
    {
        var c = new AttentionCase([1900, 64, 700, 321, 833], headDim, 3, group, Enum.Parse<KvFormat>(format), PagePolicy.TwoStage, Keep: 5, Candidates: 3, SketchBits: bits);
        using var bed = new AttentionBed(c);
        var step = new AttentionStep(c, bed, rows);
        step.Select();
        for (var row = 0; row < rows.Length; row++)
            for (var place = 0; place < c.RetrievalHeads; place++)
            {
                var head = bed.HeadOrder[place];
                var (pages, shares) = LServeReference.Refine(
                    step.GroupQueries(row, head), bed.Keys[rows[row]][head], bed.Centre[head], step.Kept(row, place), c.Keep, c.SinkPages, c.RecentPages, bits, c.Shape.Layout.KeyBits);
                SelectScoreTests.AssertBest(step.Pages(row, place), shares, pages);
            }
    }

    [Fact]
    public void TooManyCandidatesAreRefusedAtTheStart() =>
        Assert.Throws<NotSupportedException>(() => new SelectRefine(null!, new(new(128, KvFormat.K8V4), 4), 2, SelectRefine.MaxPool + 1));
}
