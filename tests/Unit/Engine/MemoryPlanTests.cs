using LServe.Inference;
using LServe.Model;

namespace LServe.Tests.Unit.Inference;

/// <summary>What the KV cache takes is said, and refused with the numbers where it doesn't fit.</summary>
public sealed class MemoryPlanTests
{
    [Fact]
    public void BothPoolsAreNamedWithTheirPages()
    {
        var plan = new MemoryPlan(new KvGeometry(2, 2, 64, KvPrecision.Int8, 512)
        {
            Heads = HeadLayout.Of(new HeadPattern { Gates = [[0.1f, 0.9f], [0.9f, 0.8f]], Share = 0.25 }), StreamingPages = 40, LServe = new(),
        });
        // A token and head: 64 + 64 codes and 8 bytes of scales; a page of 64 with 1,024 bytes of statistics where the head retrieves.
        var bytes = 512L * 3 * (64 * 136 + 1024) + 40L * 64 * 136;
        Assert.Equal(bytes, plan.Geometry.TotalBytes);
        Assert.Equal(
            "KV cache: 15 MiB for 32768 tokens in int8: 512 pages of 0.03 MiB for heads that retrieve, 40 of 0.01 MiB for those that stream (19 a conversation)",
            plan.ToString());
        plan.CheckFits(bytes);
        var refusal = Assert.Throws<ArgumentException>(() => plan.CheckFits(bytes - 1));
        Assert.StartsWith("kv-tokens is 32768; KV cache: 15 MiB", refusal.Message, StringComparison.Ordinal);
    }
}
