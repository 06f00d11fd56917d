using LServe.Cuda.Driver;
using LServe.Cuda.Launch;
using LServe.Tests.Kernels.Cuda;

namespace LServe.Tests.Kernels.Attention;

/// <summary>The prompt rows of a bed's sequences, from each one's start to its end; blocks past a threshold read random lists of pages.</summary>
internal sealed class PrefillPrompt
{
    private readonly AttentionCase _case;
    private readonly AttentionBed _bed;
    private readonly List<(int Sequence, int Position)> _rows = [];
    private readonly List<int[][]> _lists = [];
    private readonly float[][][] _queries;
    private readonly Dictionary<(int Sequence, int Head), (double[][] Keys, double[][] Values)> _read = [];
    private readonly DeviceMemory _queryMemory;

    public PrefillPrompt(AttentionCase c, AttentionBed bed, int[] starts, int threshold)
    {
        (_case, _bed) = (c, bed);
        var random = new Random(5);
        for (var s = 0; s < starts.Length; s++)
        {
            AttentionPrefill.AddBlocks(Blocks, _rows.Count, c.Lengths[s] - starts[s], starts[s], s, position => position < threshold ? -1 : NewList(random, position / 64));
            _rows.AddRange(Enumerable.Range(starts[s], c.Lengths[s] - starts[s]).Select(position => (s, position)));
        }
        _queries = [.. _rows.Select(_ => Enumerable.Range(0, c.KvHeads * c.Group).Select(_ => Cuda.Values.WithOutliers(random, c.HeadDim)).ToArray())];
        _queryMemory = bed.Upload(_queries.SelectMany(row => row.SelectMany(q => q)).ToArray());
    }

    public List<PrefillBlock> Blocks { get; } = [];
    public int Rows => _rows.Count;
    public int Width => _case.KvHeads * _case.Group * _case.HeadDim;
    public int PositionOf(int row) => _rows[row].Position;

    /// <summary>Output [row][query head][channel]; rows of no block stay NaN.</summary>
    public float[] Attend(List<PrefillBlock> blocks)
    {
        var c = _case;
        var listWidth = Math.Max(1, c.MaxPages);
        var lists = new int[Math.Max(1, _lists.Count) * c.RetrievalHeads * listWidth];
        for (var l = 0; l < _lists.Count; l++)
            for (var place = 0; place < c.RetrievalHeads; place++) _lists[l][place].CopyTo(lists, (l * c.RetrievalHeads + place) * listWidth);
        using var output = Gpu.Poisoned(4L * Rows * Width);
        using var halves = Gpu.Poisoned(2L * Rows * Width);
        var nothing = _bed.Upload(new[] { 0 });
        new AttentionPrefill(Gpu.Library, c.Shape).Launch(Gpu.Stream, new()
        {
            Kv = _bed.Layer(nothing, nothing, nothing), Queries = _queryMemory.Address, OutputF32 = output.Address, Output = halves.Address, Transposed = Width % 32 == 0 ? 1 : 0,
            Blocks = _bed.Upload(AttentionPrefill.InOrder(blocks)).Address, List = _bed.Upload(lists).Address,
            ListCount = _bed.Upload(_lists.SelectMany(heads => heads.Select(pages => pages.Length)).Append(0).ToArray()).Address,
            QueryStride = (ulong)Width, OutputStride = (ulong)Width, BlockCount = blocks.Count, ListWidth = listWidth,
        });
        var values = Gpu.Download<float>(output, Rows * Width);
        var rounded = Gpu.Download<Half>(halves, Rows * Width);
        if (Width % 32 == 0) rounded = Cuda.Values.Transposed<Half>(rounded);
        for (var i = 0; i < values.Length; i++) Assert.Equal((Half)Math.Clamp(values[i], -65504, 65504), rounded[i]);
        return values;
    }

    public double[] Expected(int row)
    {
        var c = _case;
        var (sequence, position) = _rows[row];
        var block = Blocks.Single(b => row >= b.FirstRow && row < b.FirstRow + b.Count);
        var output = new double[Width];
        for (var place = 0; place < c.KvHeads; place++)
        {
            var g = _bed.HeadOrder[place];
            var chosen = place < c.RetrievalHeads && block.List >= 0 ? _lists[block.List][place] : null;
            bool Sees(int t) => place >= c.RetrievalHeads ? t < c.Sink || t > position - c.Local : chosen is null || t / 64 >= block.Position / 64 || chosen.Contains(t / 64);
            var (keys, values) = Read(sequence, g);
            for (var h = g * c.Group; h < (g + 1) * c.Group; h++)
                LServeReference.Attend(Array.ConvertAll(_queries[row][h], v => (double)v), keys, values, Enumerable.Range(0, position + 1).Where(Sees)).CopyTo(output, h * c.HeadDim);
        }
        return output;
    }

    private int NewList(Random random, int pages)
    {
        _lists.Add([.. Enumerable.Range(0, _case.RetrievalHeads).Select(_ => Enumerable.Range(0, pages).Where(_ => random.Next(2) == 0).ToArray())]);
        return _lists.Count - 1;
    }

    private (double[][] Keys, double[][] Values) Read(int sequence, int head)
    {
        if (_read.TryGetValue((sequence, head), out var known)) return known;
        var layout = _case.Shape.Layout;
        return _read[(sequence, head)] = (
            [.. _bed.Keys[sequence][head].Select(k => LServeReference.Read(k, _bed.Centre[head], layout.KeyBits))],
            [.. _bed.ValuesOf[sequence][head].Select(v => LServeReference.Read(v, [], layout.ValueBits))]);
    }
}
