using LServe.Inference;
using LServe.Model;

namespace LServe.Tests.Unit.Inference;

/// <summary>What a decode step reads, against counting the pages of the tokens that heads see.</summary>
public sealed class PageReadsTests
{
    private const int Layers = 2, KvHeads = 2, Sink = 70, Local = 130, Budget = 256;

    private static readonly KvGeometry s_sparse = new(Layers, KvHeads, 16, KvPrecision.Int8, 100)
    {
        Heads = HeadLayout.Of(new HeadPattern { Gates = [[0.1f, 0.9f], [0.9f, 0.8f]], Share = 0.25 }), StreamingPages = 100,
        LServe = new() { Sink = Sink, Local = Local, Budget = Budget },
    };

    [Fact]
    public void AStreamingHeadReadsThePagesOfItsSinkAndWindowAndTheOthersTheirBudget()
    {
        for (var position = 0; position < 1000; position++)
        {
            var all = PagesOf(Enumerable.Range(0, position + 1));
            var window = PagesOf(Enumerable.Range(0, position + 1).Where(t => t < Sink || t > position - Local));
            var reads = PageReads.OfStep(s_sparse, AttentionMode.LServe, position);
            Assert.Equal((position, new PageReads(window + 3 * Math.Min(all, Budget / 64), window + 3 * all)), (position, reads));
        }
    }

    [Fact]
    public void DenselyEveryHeadReadsWhatItHolds() =>
        Assert.Equal(new PageReads(3 * Layers * KvHeads, 3 * Layers * KvHeads), PageReads.OfStep(s_sparse, AttentionMode.Dense, 128));

    private static int PagesOf(IEnumerable<int> tokens) => tokens.Select(t => t / KvGeometry.PageTokens).Distinct().Count();
}
