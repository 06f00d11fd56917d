using LServe.Cuda.Launch;
using LServe.Tests.Kernels.Cuda;

namespace LServe.Tests.Kernels.Attention;

public class AttentionPlanTests
{
    private static readonly int[] Positions = [0, 63, 64, 4095, 4096, 131071, 524287, 127, 128, 1000];

    [Theory]
    [InlineData(0)]
    [InlineData(64)]
    public void PartsCoverEveryListOnce(int keep)
    {
        var (retrieval, streaming) = AttentionPlan.Compute(Positions, Positions, keep, 128, 256);
        for (var row = 0; row < Positions.Length; row++)
        {
            AssertCovers(retrieval.Where(i => i.Row == row), AttentionPlan.RetrievalPages(Positions[row], keep));
            AssertCovers(streaming.Where(i => i.Row == row), AttentionPlan.StreamingPages(Positions[row], 128, 256));
        }
    }

    [Theory]
    [InlineData(0, 128, 256, 1)]
    [InlineData(127, 128, 256, 2)]
    [InlineData(1000, 128, 256, 2 + 5)]
    [InlineData(1023, 128, 256, 2 + 4)]
    [InlineData(200, 128, 256, 4)]
    [InlineData(1000, 0, 1, 1)]
    public void AStreamingHeadReadsSinkAndWindow(int position, int sink, int local, int pages) =>
        Assert.Equal(pages, AttentionPlan.StreamingPages(position, sink, local));

    [GpuTheory]
    [InlineData(0, 128, 256)]
    [InlineData(64, 0, 1)]
    [InlineData(64, 20, 4096)]
    public void TheDevicePlansTheSame(int keep, int sink, int local)
    {
        int[] positions = [.. Enumerable.Range(0, 7).SelectMany(_ => Positions)];
        int[] sequences = [.. Enumerable.Range(0, positions.Length).Reverse()];
        int[] modes = [.. positions.Select((_, row) => row % 2)];
        var (retrieval, streaming) = AttentionPlan.Compute(positions, sequences, keep, sink, local, row => modes[row] == (int)RowMode.Dense);
        using var mode = Gpu.Upload<int>(modes);
        using var position = Gpu.Upload<int>(positions);
        using var sequence = Gpu.Upload<int>(sequences);
        using var first = Gpu.Poisoned((retrieval.Count + 1) * 32L);
        using var second = Gpu.Poisoned((streaming.Count + 1) * 32L);
        using var counts = Gpu.Poisoned(8);
        new AttentionPlan(Gpu.Library).Launch(Gpu.Stream, new()
        {
            Position = position.Address, Sequence = sequence.Address, Mode = mode.Address, Retrieval = first.Address, Streaming = second.Address, Counts = counts.Address,
            Rows = positions.Length, Keep = keep, Sink = sink, Local = local,
        });
        Assert.Equal([retrieval.Count, streaming.Count], Gpu.Download<int>(counts, 2));
        Assert.Equal(retrieval, Gpu.Download<DecodeItem>(first, retrieval.Count));
        Assert.Equal(streaming, Gpu.Download<DecodeItem>(second, streaming.Count));
        Assert.Equal(-1, Gpu.Download<DecodeItem>(first, retrieval.Count + 1)[^1].Row);
    }

    private static void AssertCovers(IEnumerable<DecodeItem> items, int entries)
    {
        var parts = items.ToArray();
        Assert.InRange(parts.Length, 1, AttentionPlan.MostSplits);
        Assert.Equal(Enumerable.Range(0, parts.Length), parts.Select(i => i.Split));
        Assert.All(parts, i => Assert.Equal(parts.Length, i.Splits));
        Assert.Equal(Enumerable.Range(0, entries), parts.SelectMany(i => Enumerable.Range(i.First, i.Count)));
    }
}
