using System.Buffers.Binary;
using LServe.Cuda.Launch;
using LServe.Tests.Kernels.Cuda;

namespace LServe.Tests.Kernels.Attention;

public class AttentionAppendTests
{
    [Theory]
    [InlineData(0, 64, new[] { 16, 16, 16, 16 }, new int[0])]
    [InlineData(5, 1, new[] { 1 }, new int[0])]
    [InlineData(5, 20, new[] { 11 }, new[] { 9 })]
    [InlineData(16, 20, new[] { 16, 4 }, new int[0])]
    [InlineData(5, 27, new[] { 11, 16 }, new int[0])]
    public void RunsEndAtLogicalPages(int position, int count, int[] now, int[] then)
    {
        List<TokenRun> runs = [], later = [];
        AttentionAppend.AddRuns(runs, later, 7, count, position, 3);
        Assert.Equal(now, runs.Select(r => r.Count));
        Assert.Equal(then, later.Select(r => r.Count));
        Assert.All(runs.Concat(later), r => Assert.Equal((3, r.Position - position + 7), (r.Sequence, r.FirstRow)));
    }

    public static TheoryData<string, int> Shapes => new() { { "K8V4", 128 }, { "Int8", 64 }, { "Int4", 80 }, { "Int4", 128 }, { "F16", 64 } };

    /// <summary>The bytes of the pages, read by the layout as KV_LAYOUT.md draws it, are exactly the reference's codes, scales and lows.</summary>
    [GpuTheory]
    [MemberData(nameof(Shapes))]
    public void PagesHoldTheReferencesCodes(string format, int headDim)
    {
        var group = AttentionShape.Served.First(s => s.Layout == new KvPageLayout(headDim, Enum.Parse<KvFormat>(format))).Group;
        var c = new AttentionCase([150], headDim, 2, group, Enum.Parse<KvFormat>(format), PagePolicy.Moments);
        using var bed = new AttentionBed(c);
        var head = bed.HeadOrder[0];
        for (var t = 0; t < 150; t += 7)
        {
            var page = new PageReader(c.Shape.Layout, bed.RetrievalPage(0, t / 64, 0));
            Check(page.Key, t % 64, bed.Keys[0][head][t], bed.Centre[head], c.Shape.Layout.KeyBits);
            Check(page.Value, t % 64, bed.ValuesOf[0][head][t], new float[headDim], c.Shape.Layout.ValueBits);
        }
    }

    [GpuTheory]
    [InlineData(true)]
    [InlineData(false)]
    public void CompleteLogicalPagesCarryTheirStatistics(bool quest)
    {
        var c = new AttentionCase([150], 128, 2, 4, KvFormat.K8V4, quest ? PagePolicy.Quest : PagePolicy.Moments);
        using var bed = new AttentionBed(c);
        for (var logical = 0; logical < 150 / 16; logical++)
        {
            var page = new PageReader(c.Shape.Layout, bed.RetrievalPage(0, logical / 4, 0));
            for (var channel = 0; channel < 128; channel += 5)
            {
                var x = bed.Keys[0][bed.HeadOrder[0]].Skip(16 * logical).Take(16).Select(k => (double)k[channel]).ToArray();
                var (first, second) = quest ? (x.Max(), x.Min()) : (x.Average(), Math.Sqrt(x.Average(v => (v - x.Average()) * (v - x.Average()))));
                Assert.Equal(first, page.Statistic(0, channel, logical % 4), 2e-3 * Math.Max(1, Math.Abs(first)));
                Assert.Equal(second, page.Statistic(1, channel, logical % 4), 2e-3 * Math.Max(1, Math.Abs(second)));
            }
        }
    }

    private static void Check(Func<int, int, (int Code, float Scale, float Low)> read, int slot, float[] vector, float[] centre, int bits)
    {
        if (bits == 16)
        {
            for (var i = 0; i < vector.Length; i++) Assert.Equal(BitConverter.HalfToUInt16Bits((Half)vector[i]), read(i, slot).Code);
            return;
        }
        var (codes, scale, low) = LServeReference.Quantise(LServeReference.Rotate(vector.Zip(centre, (x, m) => (double)x - m).ToArray()), bits);
        for (var i = 0; i < vector.Length; i++) Assert.Equal((codes[i], scale, low), read(i, slot));
    }

    /// <summary>Reads a page by its description, not by the kernels' functions.</summary>
    private sealed class PageReader(KvPageLayout layout, byte[] bytes)
    {
        private readonly int _plane2 = 16 * layout.Channels;

        public (int, float, float) Key(int channel, int slot)
        {
            if (layout.KeyBits == 16) return (Word(0, layout.Channels / 2, channel / 2, slot) >> channel % 2 * 16 & 0xffff, 0, 0);
            int word = channel / 16, pair = channel % 16 / 2, high = Word(0, layout.Channels / 16, word, slot), middle = Word(_plane2 + 256, layout.Channels / 16, word, slot);
            var code = Field(high, pair, channel, 2) << 2 | Field(middle, pair ^ 1, channel, 2);
            if (layout.KeyBits == 8) code = code << 4 | Field(Word(2 * _plane2 + 256, layout.Channels / 8, 2 * word + pair % 2, slot), pair / 2 ^ 1, channel, 4);
            return (code, HalfAt(_plane2 + 4 * slot + 2), HalfAt(_plane2 + 4 * slot));
        }

        public (int, float, float) Value(int channel, int slot)
        {
            var bits = layout.ValueBits;
            var start = layout.StreamingBytes - (64 * layout.Channels * bits / 8 + (bits < 16 ? 256 : 0));
            var perUnit = 16 / bits;
            var at = start + slot / 32 * (4 * layout.Channels * bits) + (channel / perUnit * 4 + slot % 32 / 8) * 16 + channel % perUnit * bits;
            var code = bits switch { 16 => BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(at + slot % 8 * 2)), 8 => bytes[at + slot % 8], _ => bytes[at + slot % 8 / 2] >> slot % 2 * 4 & 15 };
            return bits == 16 ? (code, 0, 0) : (code, HalfAt(layout.StreamingBytes - 256 + 4 * slot + 2), HalfAt(layout.StreamingBytes - 256 + 4 * slot));
        }

        public float Statistic(int which, int channel, int logical) =>
            HalfAt(layout.StreamingBytes + which * 8 * layout.HeadDim + (channel / 8 * 4 + logical) * 16 + channel % 8 * 2);

        private int Word(int plane, int words, int word, int slot) => BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(plane + ((slot / 32 * words + word) * 32 + slot % 32) * 4));

        private static int Field(int word, int place, int channel, int bits) => word >> (channel % 2 * 16 + place * bits) & (1 << bits) - 1;

        private float HalfAt(int at) => (float)BinaryPrimitives.ReadHalfLittleEndian(bytes.AsSpan(at));
    }
}
