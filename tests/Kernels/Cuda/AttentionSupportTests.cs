using LServe.Cuda.Attention;
using LServe.Cuda.Launch;
using LServe.Inference;

namespace LServe.Tests.Kernels.Cuda;

/// <summary>What GPU attention can't do is refused at the start, with words that help.</summary>
public class AttentionSupportTests
{
    private static readonly KvGeometry Served = new(2, 8, 128, KvPrecision.K8V4, 10) { GroupSize = 4, ChannelBlock = AttentionSupport.ChannelBlock };

    [Fact]
    public void PublishedShapesAreServed() => Assert.Equal(new(new(128, KvFormat.K8V4), 4), AttentionSupport.ShapeOf(Served));

    public static TheoryData<KvGeometry, string> Refused => new()
    {
        { Served with { Precision = KvPrecision.F32 }, "--kv" },
        { Served with { HeadDim = 72 }, "multiples of 16" },
        { Served with { HeadDim = 512 }, "up to 256" },
        { Served with { GroupSize = 12 }, "1 to 8" },
        { Served with { LServe = new() { Policy = SelectionPolicy.Oracle } }, "oracle" },
        { Served with { LServe = new() { SketchBits = 3 } }, "2 or 4 bits" },
    };

    [Theory, MemberData(nameof(Refused))]
    public void OthersAreRefused(KvGeometry geometry, string hint) =>
        Assert.Contains(hint, Assert.Throws<NotSupportedException>(() => AttentionSupport.ShapeOf(geometry)).Message, StringComparison.Ordinal);

    [Fact]
    public void BytesOfPagesAreThoseOfTheKernels()
    {
        foreach (var precision in new[] { KvPrecision.F16, KvPrecision.Int8, KvPrecision.K8V4, KvPrecision.Int4 })
            foreach (var dim in new[] { 16, 64, 80, 96, 128, 256 })
            {
                var geometry = Served with { HeadDim = dim, Precision = precision, LServe = new() };
                var layout = AttentionSupport.ShapeOf(geometry).Layout;
                Assert.Equal((layout.RetrievalBytes, layout.StreamingBytes), (geometry.HeadPageBytes(KvPool.Retrieval), geometry.HeadPageBytes(KvPool.Streaming)));
            }
    }

    /// <summary>Launches are as large as the work or up to a half larger, and few sizes serve all steps.</summary>
    [Fact]
    public void SizesOfLaunchesCoverTheWork()
    {
        var sizes = new HashSet<DecodeShape>();
        for (var position = 0; position < 100_000; position += 977)
        {
            var table = new TwoWayPageTable();
            while (table.Capacity <= position) table.Add(0);
            var plan = new StepPlan();
            plan.AddDecode(table, position, 1, logits: true);
            var shape = DecodeShape.Of(plan, null, keep: 0);
            var items = AttentionPlan.Splits(AttentionPlan.RetrievalPages(position, 0));
            Assert.InRange(shape.RetrievalItems, items, Math.Max(4, 3 * items / 2));
            sizes.Add(shape);
        }
        Assert.InRange(sizes.Count, 1, 12);
    }
}
