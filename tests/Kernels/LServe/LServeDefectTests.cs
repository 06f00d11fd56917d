using LServe.Inference;
using LServe.Tests.Kernels.Cpu;

namespace LServe.Tests.Kernels.Sparse;

/// <summary>Faults of LServe's published implementation (OmniServe), each with what would show it.</summary>
public abstract class LServeDefectTests
{
    internal abstract IEnumerable<LServeBackend> Backends { get; }

    private static readonly LServeOptions Options = new()
    {
        Sink = 20, Local = 70, Budget = 256, Renewal = 64, Candidates = 2, SketchBits = 4, PrefillThreshold = 128, PrefillBudget = 256,
    };

    private static readonly SelectionPolicy[] Policies = [SelectionPolicy.Quest, SelectionPolicy.Moments, SelectionPolicy.TwoStage];

    private static LServeShape Shape(SelectionPolicy policy, KvPrecision precision = KvPrecision.Int8) =>
        new(6, 32, precision, [false, true, false], Options with { Policy = policy });

    /// <summary>Scores laid out for the longest sequence but written by each one's own length; the batch's maximum as everybody's budget and last page.</summary>
    [Fact]
    public void Sequences_of_any_lengths_share_a_step()
    {
        int[] lengths = [1, 64, 470, 130, 833, 321];
        ForAll((backend, policy) =>
        {
            var shape = Shape(policy);
            using LServeBed together = new(backend, shape, 50), alone = new(backend, shape, 50);
            var rows = lengths.Select((length, i) => LServeRows.Random(shape, length, seed: i)).ToArray();
            LServePart[] Parts(LServeBed bed) => [.. rows.Select(r => { var s = bed.Sequence(r.Length); bed.Append(s, r[..^1]); return new LServePart(s, r[^1..], Decode: true, Renew: true); })];
            var outputs = together.Step(Parts(together));
            var separate = Parts(alone);
            for (var i = 0; i < lengths.Length; i++)
            {
                Assert.Equal(alone.Step(separate[i])[0], outputs[i]);
                foreach (var head in new[] { 0, 2 })
                {
                    Assert.Equal(alone.Chosen(0, head), together.Chosen(i, head));
                    Assert.Equal((lengths[i] - 1) / 64, together.Chosen(i, head)[^1]);
                    Assert.Equal(Math.Min(4, KvGeometry.PagesFor(lengths[i])), together.Chosen(i, head).Length);
                }
            }
        });
    }

    /// <summary>Choices kept per layer instead of per sequence: who leaves mixes up the others, and a prompt drops everybody's.</summary>
    [Fact]
    public void A_sequence_keeps_its_choice_when_others_come_and_go()
    {
        ForAll((backend, policy) =>
        {
            var shape = Shape(policy);
            using LServeBed crowd = new(backend, shape, 60), alone = new(backend, shape, 60);
            float[][] first = LServeRows.Random(shape, 700, seed: 1), second = LServeRows.Random(shape, 670, seed: 2), prompt = LServeRows.Random(shape, 300, seed: 3);
            var (a, b, c, lone) = (crowd.Sequence(700), crowd.Sequence(670), crowd.Sequence(300), alone.Sequence(670));
            crowd.Append(a, first[..660]);
            crowd.Append(b, second[..660]);
            alone.Append(lone, second[..660]);
            var expected = LServeRows.Decode(alone, lone, second[660..664], firstAfterPrompt: 660);
            LServePart Next(LServeSequence s, float[][] rows) => LServeRows.Part(crowd, s, rows[s.Length], firstAfterPrompt: 660);
            Assert.Equal(expected[0], crowd.Step(Next(a, first), Next(b, second))[1]);
            Assert.Equal(expected[1], crowd.Step(Next(b, second))[0]);
            Assert.Equal(expected[2], crowd.Step(Next(b, second), new LServePart(c, prompt))[0]);
            Assert.Equal(expected[3], crowd.Step(Next(b, second), Next(a, first))[0]);
        });
    }

    /// <summary>A choice used again across the end of a page, so that the newest tokens are not seen.</summary>
    [Fact]
    public void The_newest_page_is_read_at_every_step()
    {
        ForAll((backend, policy) =>
        {
            var shape = Shape(policy);
            using var bed = new LServeBed(backend, shape, 20);
            var rows = LServeRows.Random(shape, 720, seed: 4);
            var sequence = bed.Sequence(rows.Length);
            bed.Append(sequence, rows[..630]);
            foreach (var row in rows[630..])
            {
                // Keys of one length, and queries along the row's own: an output near its own value proves that the token was seen.
                var seen = row.ToArray();
                for (var head = 0; head < shape.KvHeads; head++) Lengthen(LServeRows.Key(shape, seen, head), 20);
                for (var head = 0; head < shape.Heads; head++) LServeRows.Key(shape, seen, head / 2).CopyTo(seen.AsSpan(head * shape.Dim));
                var output = LServeRows.Decode(bed, sequence, [seen], firstAfterPrompt: 630)[0];
                var newest = (sequence.Length - 1) / KvGeometry.PageTokens;
                Assert.Equal((newest - 1, newest), (bed.Chosen(0, 0)[^2], bed.Chosen(0, 0)[^1]));
                for (var head = 0; head < shape.Heads; head++)
                    Assert.InRange(LogitMath.RelativeError(LServeRows.Value(shape, seen, head / 2), output.AsSpan(head * shape.Dim, shape.Dim)), 0, 0.05);
            }
        });
    }

    /// <summary>Statistics of a page that was just taken, merged with those of whoever had it before.</summary>
    [Fact]
    public void What_a_page_held_before_does_not_matter()
    {
        ForAll((backend, policy) =>
        {
            var shape = Shape(policy);
            using LServeBed nan = new(backend, shape, 20, poison: 0xFF), large = new(backend, shape, 20, poison: 0x7B), zero = new(backend, shape, 20, poison: 0);
            var rows = LServeRows.Random(shape, 430, seed: 5);
            var outputs = new List<float[][]>();
            foreach (var bed in new[] { nan, large, zero })
            {
                var sequence = bed.Sequence(rows.Length);
                if (bed == zero)
                    for (var head = 0; head < 3; head += 2) sequence.Selection!.Open(bed.Place(head)).Clear();
                outputs.Add([.. bed.Step(new LServePart(sequence, rows[..350])), .. LServeRows.Decode(bed, sequence, rows[350..], firstAfterPrompt: 350)]);
                Assert.Equal(nan.Chosen(0, 0), bed.Chosen(0, 0));
            }
            Assert.Equal(outputs[0], outputs[1]);
            Assert.Equal(outputs[0], outputs[2]);
        });
    }

    /// <summary>A ring of streaming pages indexed wrongly, its size read from the sink's setting: windows that are not the ones asked for.</summary>
    [Fact]
    public void A_streaming_head_sees_its_sink_and_its_window_to_the_token()
    {
        const int Position = 449, Streaming = 1;
        foreach (var backend in Backends)
        {
            var shape = Shape(SelectionPolicy.All);
            var rows = LServeRows.Random(shape, Position + 1, seed: 6);
            var undisturbed = StreamingOutputs(backend, shape, rows, null);
            foreach (var (token, isSeen) in new[] { (19, true), (20, false), (63, false), (64, false), (Position - 70, false), (Position - 69, true), (Position, true) })
            {
                var outputs = StreamingOutputs(backend, shape, rows, token);
                var columns = (Streaming * 2 * shape.Dim)..((Streaming + 1) * 2 * shape.Dim);
                Assert.Equal(isSeen, !undisturbed.Decoded[columns].SequenceEqual(outputs.Decoded[columns]));
                Assert.Equal(isSeen, !undisturbed.Prompted[columns].SequenceEqual(outputs.Prompted[columns]));
            }
        }
    }

    /// <summary>A quantised vector of one value, whose scale is zero, divided by it.</summary>
    [Fact]
    public void A_constant_vector_is_no_division_by_zero()
    {
        foreach (var backend in Backends)
            foreach (var precision in new[] { KvPrecision.Int8, KvPrecision.K8V4, KvPrecision.Int4 })
            {
                var shape = Shape(SelectionPolicy.TwoStage, precision) with { Dim = 16 };
                using var bed = new LServeBed(backend, shape, 4);
                var rows = LServeRows.Random(shape, 3, seed: 7);
                foreach (var row in rows) Array.Clear(row, shape.Heads * 16, 2 * shape.KvHeads * 16);
                // After the rotation this is 16 times the same number; all other vectors are zero, which stays so.
                for (var head = 0; head < shape.KvHeads; head++) LServeRows.Value(shape, rows[1], head)[0] = 6;
                var sequence = bed.Sequence(3);
                bed.Append(sequence, rows[..^1]);
                var output = LServeRows.Decode(bed, sequence, rows[^1..], firstAfterPrompt: 2)[0];
                for (var i = 0; i < output.Length; i++) Assert.Equal(i % 16 == 0 ? 2 : 0, output[i], 2e-3);
            }
    }

    private static void Lengthen(Span<float> vector, float to)
    {
        var squares = 0f;
        foreach (var x in vector) squares += x * x;
        var factor = to / MathF.Sqrt(squares);
        foreach (ref var x in vector) x *= factor;
    }

    /// <summary>The last row as a decode step and as the end of a prompt, on a table whose window slid and gave its pages back.</summary>
    /// <param name="changed">A token whose keys and values are others.</param>
    private static (float[] Decoded, float[] Prompted) StreamingOutputs(LServeBackend backend, LServeShape shape, float[][] rows, int? changed)
    {
        var results = new float[2][];
        for (var kind = 0; kind < 2; kind++)
        {
            using var bed = new LServeBed(backend, shape, 10);
            var sequence = bed.Sequence(rows.Length);
            var own = Array.ConvertAll(rows, row => row.ToArray());
            if (changed is { } token)
                for (var i = shape.Heads * shape.Dim; i < shape.Columns; i++) own[token][i] += 1;
            var cached = rows.Length - (kind == 0 ? 1 : 10);
            bed.Append(sequence, own[..cached]);
            while (sequence.Pages.TrySlide(1, (cached - shape.Options.Local + 1) / KvGeometry.PageTokens, out var page)) bed.Fill(KvPool.Streaming, page, 0xFF);
            Assert.True(sequence.Pages.Dropped > 0);
            results[kind] = bed.Step(new LServePart(sequence, own[cached..], Decode: kind == 0))[^1];
        }
        return (results[0], results[1]);
    }

    private void ForAll(Action<LServeBackend, SelectionPolicy> check)
    {
        foreach (var backend in Backends)
            foreach (var policy in Policies) check(backend, policy);
    }
}

/// <inheritdoc/>
public sealed class LServeReferenceDefectTests : LServeDefectTests
{
    internal override IEnumerable<LServeBackend> Backends => [LServeBackend.Reference];
}
