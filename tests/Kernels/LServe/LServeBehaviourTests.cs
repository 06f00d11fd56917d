using LServe.Inference;
using LServe.Tests.Kernels.Attention;
using LServe.Tests.Kernels.Cpu;

namespace LServe.Tests.Kernels.Sparse;

/// <summary>What holds of LServe's attention whatever the numbers are.</summary>
public abstract class LServeBehaviourTests
{
    internal abstract IEnumerable<LServeBackend> Backends { get; }

    private static readonly LServeOptions Options = new()
    {
        Sink = 20, Local = 70, Budget = 256, Renewal = 8, Candidates = 2, SketchBits = 4, PrefillThreshold = 256, PrefillBudget = 320,
    };

    private static LServeShape Shape(KvPrecision precision, SelectionPolicy policy) =>
        new(6, 32, precision, [false, true, false], Options with { Policy = policy });

    [Fact]
    public void A_budget_of_the_whole_length_without_streaming_heads_is_dense()
    {
        ForAll((backend, half) =>
        {
            var options = half.Options with { Budget = 320, PrefillBudget = 320, PrefillThreshold = 128 };
            var shape = half with { Streaming = [false, false, false], Options = options };
            using var bed = new LServeBed(backend, shape, 15);
            var rows = LServeRows.Random(shape, 300, seed: 11);
            var (sparse, dense) = (bed.Sequence(rows.Length), bed.Sequence(rows.Length, sparse: false));
            float[][] ours = [.. bed.Step(new LServePart(sparse, rows[..290])), .. LServeRows.Decode(bed, sparse, rows[290..], 290)];
            float[][] theirs = [.. bed.Step(new LServePart(dense, rows[..290])), .. LServeRows.Decode(bed, dense, rows[290..], 290)];
            for (var row = 0; row < rows.Length; row++) Assert.InRange(LogitMath.RelativeError(theirs[row], ours[row]), 0, 1e-5);
        });
    }

    [Theory, InlineData(128), InlineData(384)]
    public void A_prompt_cut_at_multiples_of_128_gives_the_same_bits(int chunk)
    {
        ForAll((backend, shape) =>
        {
            using LServeBed whole = new(backend, shape, 12), cut = new(backend, shape, 12);
            var rows = LServeRows.Random(shape, 650, seed: 12);
            var (one, other) = (whole.Sequence(rows.Length), cut.Sequence(rows.Length));
            float[][] expected = [.. whole.Step(new LServePart(one, rows[..640])), .. LServeRows.Decode(whole, one, rows[640..], 640)];
            float[][] actual = [.. rows[..640].Chunk(chunk).SelectMany(some => cut.Step(new LServePart(other, some))), .. LServeRows.Decode(cut, other, rows[640..], 640)];
            Assert.Equal(expected, actual);
        });
    }

    [Fact]
    public void A_sequence_that_was_saved_and_restored_goes_on_with_the_same_bits()
    {
        ForAll((backend, shape) =>
        {
            using LServeBed here = new(backend, shape, 12), there = new(backend, shape, 12);
            var rows = LServeRows.Random(shape, 660, seed: 13);
            var sequence = here.Sequence(rows.Length);
            here.Step(new LServePart(sequence, rows[..640]));
            LServeRows.Decode(here, sequence, rows[640..645], 640);
            var restored = there.Sequence(rows.Length);
            Restore(here, sequence, there, restored);
            Assert.Equal(LServeRows.Decode(here, sequence, rows[645..], 640), LServeRows.Decode(there, restored, rows[645..], 640));
        });
    }

    [Fact]
    public void The_oracle_reads_the_pages_of_the_largest_true_attention()
    {
        foreach (var backend in Backends.Where(b => b.Supports(KvPrecision.F16, SelectionPolicy.Oracle)))
        {
            var shape = Shape(KvPrecision.F16, SelectionPolicy.Oracle);
            using var bed = new LServeBed(backend, shape, 12);
            var rows = LServeRows.Random(shape, 700, seed: 14);
            var sequence = bed.Sequence(rows.Length);
            bed.Append(sequence, rows[..^1]);
            bed.Step(new LServePart(sequence, rows[^1..], Decode: true));
            foreach (var head in new[] { 0, 2 })
            {
                double[][] queries = [.. Enumerable.Range(head * 2, 2).Select(q => rows[^1].AsSpan(q * shape.Dim, shape.Dim).ToArray().Select(x => (double)x).ToArray())];
                float[][] keys = [.. rows.Select(row => LServeRows.Key(shape, row, head).ToArray())];
                var expected = LServeReference.Refine(queries, keys, [], [.. Enumerable.Range(0, 11)], 4, 1, 2, 4, codeBits: 16);
                Assert.Equal(expected.Pages, bed.Chosen(0, head));
            }
        }
    }

    /// <summary>Numbers that are none, or infinite, in a token's key: its page has no score, and the others are chosen as if it were not there.</summary>
    [Theory, InlineData(float.NaN), InlineData(float.PositiveInfinity), InlineData(float.NegativeInfinity)]
    public void A_key_that_is_no_number_does_not_choose_its_page(float bad)
    {
        foreach (var backend in Backends)
            foreach (var policy in new[] { SelectionPolicy.Quest, SelectionPolicy.Moments, SelectionPolicy.TwoStage })
            {
                var shape = Shape(KvPrecision.F16, policy);
                using var bed = new LServeBed(backend, shape, 12);
                var rows = LServeRows.Random(shape, 700, seed: 15);
                for (var token = 320; token < 384; token++) LServeRows.Key(shape, rows[token], 0).Fill(bad);
                var sequence = bed.Sequence(rows.Length);
                bed.Append(sequence, rows[..^1]);
                var output = bed.Step(new LServePart(sequence, rows[^1..], Decode: true, Renew: true))[0];
                Assert.Equal(4, bed.Chosen(0, 0).Length);
                Assert.DoesNotContain(5, bed.Chosen(0, 0));
                Assert.All(output, value => Assert.True(float.IsFinite(value)));
            }
    }

    private static void Restore(LServeBed from, LServeSequence saved, LServeBed to, LServeSequence restored)
    {
        foreach (var pool in Enum.GetValues<KvPool>())
        {
            var bytes = new byte[from.Geometry.PageBytesOf(pool)];
            var source = pool == KvPool.Retrieval ? saved.Pages.Retrieval : saved.Pages.HeldStreaming;
            var target = pool == KvPool.Retrieval ? restored.Pages.Retrieval : restored.Pages.HeldStreaming;
            for (var i = 0; i < source.Length; i++)
            {
                from.Backend.ReadPage(pool, source[i], bytes);
                to.Backend.WritePage(pool, target[i], bytes);
            }
        }
        var state = new byte[saved.Selection!.SavedBytes];
        from.Backend.ReadSelection(saved.Selection);
        saved.Selection.CopyTo(state);
        Assert.True(restored.Selection!.TryCopyFrom(state, saved.Pages.Retrieval.Length));
        restored.Length = saved.Length;
    }

    private void ForAll(Action<LServeBackend, LServeShape> check)
    {
        foreach (var backend in Backends)
            foreach (var (precision, policy) in new[]
                     {
                         (KvPrecision.F32, SelectionPolicy.Quest), (KvPrecision.F16, SelectionPolicy.Moments), (KvPrecision.Int8, SelectionPolicy.TwoStage),
                         (KvPrecision.K8V4, SelectionPolicy.Quest), (KvPrecision.Int4, SelectionPolicy.TwoStage), (KvPrecision.Int8, SelectionPolicy.Oracle), (KvPrecision.Int8, SelectionPolicy.All),
                     }.Where(c => backend.Supports(c.Item1, c.Item2)))
                check(backend, Shape(precision, policy));
    }
}

/// <inheritdoc/>
public sealed class LServeReferenceBehaviourTests : LServeBehaviourTests
{
    internal override IEnumerable<LServeBackend> Backends => [LServeBackend.Reference];
}
