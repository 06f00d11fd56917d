using LServe.Inference;
using LServe.Tests.Kernels.Cpu;

namespace LServe.Tests.Kernels.Sparse;

/// <summary>Backends against the cases of LServe's definition: pages equal, outputs near.</summary>
public abstract class LServeCaseTests
{
    internal abstract IEnumerable<LServeBackend> Backends { get; }

    public static TheoryData<string> DecodeCases => LServeCase.Names("decode");
    public static TheoryData<string> PrefillCases => LServeCase.Names("prefill");

    [Theory, MemberData(nameof(DecodeCases))]
    public void A_decode_step_is_as_defined(string name)
    {
        foreach (var backend in Backends) Decode(backend, LServeCase.Named(name));
    }

    [Theory, MemberData(nameof(PrefillCases))]
    public void A_prompt_is_as_defined(string name)
    {
        foreach (var backend in Backends) Prefill(backend, LServeCase.Named(name));
    }

    private static void Decode(LServeBackend backend, LServeCase c)
    {
        using var bed = Bed(backend, c, c.Shape("q")[0], out var rows, c.Shape("k")[0] - 1);
        var sequence = bed.Sequence(rows.Length);
        bed.Append(sequence, rows[..^1]);
        bed.Backend.ReadSelection(sequence.Selection!);
        var given = c.PageLists("given");
        for (var head = 0; given is not null && head < given.Length; head++)
            if (given[head] is { } kept)
            {
                kept.CopyTo(sequence.Selection!.KeptRoom(bed.Place(head)));
                sequence.Selection.SetKept(bed.Place(head), kept.Length);
            }
        var outputs = bed.Step(new LServePart(sequence, rows[^1..], Decode: true, Renew: given is null));
        bed.Backend.ReadSelection(sequence.Selection!);
        for (var head = 0; head < bed.Shape.KvHeads; head++)
        {
            if (c.PageLists("pages")![head] is not { } pages) continue;
            Assert.Equal(pages, bed.Chosen(0, head));
            Assert.Equal(c.PageLists("kept")![head], sequence.Selection!.Kept(bed.Place(head)).ToArray());
        }
        AssertNear(backend, c, outputs);
    }

    private static void Prefill(LServeBackend backend, LServeCase c)
    {
        var start = c.Int("start");
        using var bed = Bed(backend, c, c.Shape("q")[1], out var rows, start);
        var sequence = bed.Sequence(rows.Length);
        bed.Append(sequence, rows[..start]);
        var outputs = bed.Step(new LServePart(sequence, rows[start..]));
        foreach (var (position, head, pages) in c.Blocks)
            Assert.Equal(pages, bed.Chosen(0, head, position / LServeOptions.QueryBlock - start / LServeOptions.QueryBlock));
        AssertNear(backend, c, outputs);
    }

    /// <param name="queriesFrom">Position that the case's queries begin at; earlier rows have none.</param>
    private static LServeBed Bed(LServeBackend backend, LServeCase c, int heads, out float[][] rows, int queriesFrom)
    {
        var (tokens, groups, dim) = (c.Shape("k")[0], c.Shape("k")[1], c.Shape("k")[2]);
        float[] q = c.Values("q"), k = c.Values("k"), v = c.Values("v");
        rows = [.. Enumerable.Range(0, tokens).Select(t =>
            (float[])[.. t < queriesFrom ? new float[heads * dim] : Row(q, t - queriesFrom, heads * dim), .. Row(k, t, groups * dim), .. Row(v, t, groups * dim)])];
        var shape = new LServeShape(heads, dim, c.Precision, c.Streaming, c.Options, c.Values("centre"));
        return new(backend, shape, KvGeometry.PagesFor(tokens) + 3);
    }

    private static float[] Row(float[] values, int row, int columns) => values[(row * columns)..((row + 1) * columns)];

    private static void AssertNear(LServeBackend backend, LServeCase c, float[][] outputs)
    {
        var error = LogitMath.RelativeError(c.Values("output"), outputs.SelectMany(o => o).ToArray());
        Assert.True(error <= backend.Tolerance, $"{c.Name} on {backend}: relative error {error:E2} is above {backend.Tolerance:E0}");
    }
}

/// <inheritdoc/>
public sealed class LServeReferenceCaseTests : LServeCaseTests
{
    internal override IEnumerable<LServeBackend> Backends => [LServeBackend.Reference];
}
