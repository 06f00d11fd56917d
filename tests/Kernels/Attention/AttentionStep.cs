using LServe.Cuda.Driver;
using LServe.Cuda.Launch;
using LServe.Tests.Kernels.Cuda;

namespace LServe.Tests.Kernels.Attention;

/// <summary>Selection and attention of one decode step over a bed, rows being any of its sequences at their last positions.</summary>
internal sealed class AttentionStep
{
    private readonly AttentionCase _case;
    private readonly AttentionBed _bed;
    private readonly int[] _rows;
    private readonly KvLayer _layer;
    private readonly DeviceMemory _queries, _list, _listCount, _candidates, _candidateCount;

    /// <param name="rows">Sequence of each row.</param>
    public AttentionStep(AttentionCase c, AttentionBed bed, int[] rows)
    {
        (_case, _bed, _rows) = (c, bed, rows);
        var sequences = c.Lengths.Length;
        Positions = [.. rows.Select(s => c.Lengths[s] - 1)];
        _layer = bed.Layer(bed.Upload(Positions), bed.Upload(rows), bed.Upload(Array.ConvertAll(rows, _ => (int)RowMode.Sparse)));
        Queries = [.. rows.Select(s => Enumerable.Range(0, c.KvHeads * c.Group).Select(h => Cuda.Values.WithOutliers(new Random(1000 * s + h), c.HeadDim)).ToArray())];
        _queries = bed.Upload(Queries.SelectMany(row => row.SelectMany(q => q)).ToArray());
        _list = bed.Keep(Gpu.Poisoned(sequences * c.RetrievalHeads * c.Keep * 4L));
        _listCount = bed.Keep(Gpu.Poisoned(sequences * c.RetrievalHeads * 4L));
        _candidates = bed.Keep(Gpu.Poisoned(sequences * c.RetrievalHeads * c.CandidatePages * 4L));
        _candidateCount = bed.Keep(Gpu.Poisoned(sequences * c.RetrievalHeads * 4L));
    }

    public int[] Positions { get; }

    /// <summary>[row][query head][channel].</summary>
    public float[][][] Queries { get; }

    /// <summary>Renews every row's choice.</summary>
    public void Select()
    {
        var c = _case;
        var heads = _rows.Length * c.RetrievalHeads;
        var pool = c.CandidatePages + c.RecentPages;
        var stride = SelectScore.ScoreStride(c.Group, c.MaxPages);
        var parameters = new SelectParams
        {
            Kv = _layer, Queries = _queries.Address, Open = _bed.Open, Renewing = _bed.Upload(Enumerable.Range(0, _rows.Length).ToArray()).Address,
            Scores = _bed.Keep(Gpu.Poisoned(4L * heads * Math.Max(stride, SelectRefine.ScoreFloats(c.Group, pool)))).Address,
            Candidates = _candidates.Address, CandidateCount = _candidateCount.Address, List = _list.Address, ListCount = _listCount.Address,
            Arrived = _bed.Upload(new int[heads]).Address, QueryStride = (ulong)(c.KvHeads * c.Group * c.HeadDim),
            ScoreStride = stride, CandidateWidth = c.CandidatePages, ListWidth = c.Keep, SinkPages = c.SinkPages, RecentPages = c.RecentPages,
            Policy = (int)c.Policy, Deviation = c.Deviation,
        };
        new SelectScore(Gpu.Library, c.Shape, c.MaxPages).Launch(Gpu.Stream, _rows.Length, Positions.Max() / 64 + 1, parameters);
        if (c.Policy == PagePolicy.TwoStage) new SelectRefine(Gpu.Library, c.Shape, c.SketchBits, pool).Launch(Gpu.Stream, _rows.Length, parameters);
    }

    /// <summary>Pages that a row's retrieval head reads.</summary>
    public int[] Pages(int row, int place) => ListOf(_list, _listCount, _case.Keep, row, place);

    /// <summary>What its first stage kept.</summary>
    public int[] Kept(int row, int place) =>
        _case.Policy == PagePolicy.TwoStage ? ListOf(_candidates, _candidateCount, _case.CandidatePages, row, place) : Pages(row, place);

    /// <summary>Output [row][query head][channel]; retrieval heads read their lists, or all pages.</summary>
    public float[] Attend(bool dense)
    {
        var c = _case;
        var (retrieval, streaming) = AttentionPlan.Compute(Positions, _rows, dense ? 0 : c.Keep, c.Sink, c.Local);
        var blocks = retrieval.Count * c.RetrievalHeads + streaming.Count * c.Streaming;
        var width = c.KvHeads * c.Group * c.HeadDim;
        using var output = Gpu.Poisoned(4L * _rows.Length * width);
        new AttentionDecode(Gpu.Library, c.Shape).Launch(Gpu.Stream, blocks + 1, new()
        {
            Kv = _layer, Queries = _queries.Address, OutputF32 = output.Address,
            Retrieval = _bed.Upload(retrieval.ToArray()).Address, Streaming = _bed.Upload(streaming.ToArray()).Address,
            Counts = _bed.Upload(new[] { retrieval.Count, streaming.Count }).Address,
            List = dense ? 0 : _list.Address, ListCount = dense ? 0 : _listCount.Address, ListWidth = c.Keep,
            Partial = _bed.Keep(Gpu.Poisoned(4 * AttentionDecode.PartialFloats(c.Shape, blocks + 1))).Address,
            Arrived = _bed.Upload(new int[_rows.Length * c.KvHeads]).Address, QueryStride = (ulong)width, OutputStride = (ulong)width,
        });
        return Gpu.Download<float>(output, _rows.Length * width);
    }

    /// <summary>The reference's output of a row, given the pages its retrieval heads read (by place; null: all).</summary>
    public double[] Expected(int row, Func<int, int[]?> pages)
    {
        var c = _case;
        var (sequence, position) = (_rows[row], Positions[row]);
        var output = new double[c.KvHeads * c.Group * c.HeadDim];
        for (var place = 0; place < c.KvHeads; place++)
        {
            var g = _bed.HeadOrder[place];
            var streams = place >= c.RetrievalHeads;
            var chosen = streams ? null : pages(place)?.ToHashSet();
            bool Sees(int t) => streams ? t < c.Sink || t > position - c.Local : chosen?.Contains(t / 64) ?? true;
            var seen = Enumerable.Range(0, position + 1).Where(Sees).ToArray();
            var keys = _bed.Keys[sequence][g].Select((k, t) => Sees(t) ? LServeReference.Read(k, _bed.Centre[g], c.Shape.Layout.KeyBits) : []).ToArray();
            var values = _bed.ValuesOf[sequence][g].Select((v, t) => Sees(t) ? LServeReference.Read(v, [], c.Shape.Layout.ValueBits) : []).ToArray();
            for (var h = 0; h < c.Group; h++)
                LServeReference.Attend(Query(row, g * c.Group + h), keys, values, seen).CopyTo(output, (g * c.Group + h) * c.HeadDim);
        }
        return output;
    }

    /// <summary>The queries of a KV head.</summary>
    public double[][] GroupQueries(int row, int head) => [.. Enumerable.Range(0, _case.Group).Select(h => Query(row, head * _case.Group + h))];

    private double[] Query(int row, int head) => Array.ConvertAll(Queries[row][head], v => (double)v);

    private int[] ListOf(DeviceMemory lists, DeviceMemory counts, int width, int row, int place)
    {
        var at = _rows[row] * _case.RetrievalHeads + place;
        var count = Gpu.Download<int>(counts, at + 1)[at];
        return Gpu.Download<int>(lists, at * width + count)[(at * width)..];
    }
}
