using LServe.Cuda.Launch;
using LServe.Tests.Kernels.Cuda;

namespace LServe.Tests.Kernels.Attention;

public class SelectScoreTests
{
    /// <summary>Relative: binary16 statistics. A page may be missing only where its score is as near to the worst chosen one.</summary>
    private const double Tolerance = 3e-3;

    public static TheoryData<string, int, int> Cases => new()
    {
        { "Quest", 128, 4 }, { "Moments", 128, 4 }, { "TwoStage", 128, 4 }, { "Quest", 64, 3 }, { "TwoStage", 64, 3 },
    };

    [GpuTheory]
    [MemberData(nameof(Cases))]
    public void TheBestPagesAreKept(string policy, int headDim, int group)
    {
        var c = new AttentionCase([2500, 1, 320, 321, 257, 1984, 66], headDim, 3, group, KvFormat.K8V4, Enum.Parse<PagePolicy>(policy), Keep: 5, Candidates: 2, Deviation: 0.5f);
        if (headDim == 64) c = c with { Format = KvFormat.Int8 };
        using var bed = new AttentionBed(c);
        var step = new AttentionStep(c, bed, [0, 3, 2, 1, 4, 6, 5]);
        step.Select();
        int[] rows = [0, 3, 2, 1, 4, 6, 5];
        for (var row = 0; row < rows.Length; row++)
            for (var place = 0; place < c.RetrievalHeads; place++)
            {
                var head = bed.HeadOrder[place];
                var scores = LServeReference.PageScores(step.GroupQueries(row, head), bed.Keys[rows[row]][head], c.Policy, c.Deviation);
                AssertBest(step.Kept(row, place), scores, LServeReference.Choose(scores, c.CandidatePages, c.SinkPages, c.RecentPages));
            }
    }

    [GpuFact]
    public void EqualPagesGiveWayToTheLower()
    {
        var c = new AttentionCase([640], 128, 1, 4, KvFormat.F16, PagePolicy.Moments, Keep: 4, Streaming: 0);
        using var bed = new AttentionBed(c, sameKeys: true);
        var step = new AttentionStep(c, bed, [0]);
        step.Select();
        Assert.Equal([0, 1, 8, 9], step.Pages(0, 0));
    }

    internal static void AssertBest(int[] actual, double[] scores, int[] expected)
    {
        Assert.Equal(actual.Order(), actual);
        Assert.Equal(expected.Length, actual.Length);
        foreach (var missing in expected.Except(actual))
        {
            var instead = actual.Except(expected).Select(p => scores[p]);
            Assert.All(instead, score => Assert.InRange(scores[missing] - score, 0, Tolerance * Math.Max(Math.Abs(scores[missing]), Math.Abs(score))));
        }
    }
}
