using LServe.Inference;
using LServe.Model;

namespace LServe.Tests.Kernels.Sparse;

/// <summary>
/// Attention of one layer on a backend, without a model: keys and values as given (RoPE turns nothing), pages handed out in a shuffled
/// order and full of NaN before they are written. The layer under test is the second of two.
/// </summary>
internal sealed class LServeBed : IDisposable
{
    public const int Layer = 1;

    private readonly LServeBackend _kind;
    private readonly ModelConfig _config;
    private readonly Stack<int>[] _free = new Stack<int>[2];

    public LServeBed(LServeBackend kind, LServeShape shape, int pages, byte poison = 0xFF)
    {
        (_kind, Backend, Shape) = (kind, kind.Create(), shape);
        _config = Config(shape);
        // The other layer has the other kinds, so that a head's place isn't its number.
        var heads = new HeadLayout([Array.ConvertAll(shape.Streaming, s => !s), shape.Streaming]);
        Geometry = new(2, shape.KvHeads, shape.Dim, shape.Precision, pages)
        {
            Heads = heads, StreamingPages = heads.AnyStreams ? pages : 0, LServe = shape.Options,
            ChannelBlock = Backend.Info.ChannelBlock, GroupSize = shape.Heads / shape.KvHeads,
            Centres = shape.Centres is null ? null : [.. new float[shape.Centres.Length], .. shape.Centres],
        };
        Backend.AllocateKv(Geometry);
        foreach (var pool in Enum.GetValues<KvPool>())
        {
            _free[(int)pool] = new(Enumerable.Range(0, Geometry.PagesOf(pool)).OrderBy(p => p * 7919 % 31).ThenBy(p => p));
            foreach (var page in _free[(int)pool]) Fill(pool, page, poison);
        }
    }

    public IBackend Backend { get; }
    public KvGeometry Geometry { get; }
    public LServeShape Shape { get; }

    public void Fill(KvPool pool, int page, byte with)
    {
        var bytes = new byte[Geometry.PageBytesOf(pool)];
        Array.Fill(bytes, with);
        Backend.WritePage(pool, page, bytes);
    }

    public int Place(int head) => Geometry.Heads[Layer, head].Place;

    /// <summary>A sequence whose open statistics are full of NaN.</summary>
    public LServeSequence Sequence(int tokens, bool sparse = true)
    {
        var sequence = new LServeSequence(new TwoWayPageTable(), sparse ? new SelectionState(Geometry) : null);
        for (var i = 0; i < KvGeometry.PagesFor(tokens); i++)
        {
            sequence.Pages.Add(_free[(int)KvPool.Retrieval].Pop());
            if (Geometry.Heads.AnyStreams) sequence.Pages.AddStreaming(_free[(int)KvPool.Streaming].Pop());
        }
        for (var place = 0; sparse && place < Geometry.Heads.RetrievalHeads; place++) sequence.Selection!.Open(place).Fill(float.NaN);
        return sequence;
    }

    /// <summary>Keys and values of prompt rows into the cache, nothing else, <paramref name="chunk"/> rows a step.</summary>
    public void Append(LServeSequence sequence, float[][] rows, int chunk = 300)
    {
        foreach (var some in rows.Chunk(chunk)) Run([new(sequence, some)], attend: false);
    }

    /// <summary>One step; outputs [row][H·D] in the order of the plan. Decode parts come first.</summary>
    public float[][] Step(params LServePart[] parts) => Run(parts, attend: true);

    /// <summary>Pages chosen in the last step.</summary>
    public int[] Chosen(int slice, int head, int block = 0) => _kind.Chosen(Backend, (slice, head, block));

    private float[][] Run(LServePart[] parts, bool attend)
    {
        var plan = new StepPlan();
        foreach (var part in parts) part.AddTo(plan);
        using var qkv = Backend.Allocate(plan.Rows, _config.QkvSize);
        using var output = Backend.Allocate(plan.Rows, _config.QueryHeads * _config.HeadDim);
        var row = 0;
        foreach (var values in parts.SelectMany(p => p.Rows)) _kind.Write(qkv, row++, values);
        var layer = new AttentionLayer(Layer, _config, null, null);
        Backend.BeginStep(plan);
        Backend.RopeAppend(layer, qkv);
        if (attend)
        {
            Backend.Select(layer, qkv);
            Backend.Attend(layer, qkv, output);
        }
        Backend.EndStep();
        foreach (var part in parts) part.Sequence.Length += part.Rows.Length;
        var kinds = plan.Slices.ToArray().SelectMany(slice => Enumerable.Repeat(slice.Kind, slice.Count));
        return [.. kinds.Select((kind, r) => _kind.Read(output, r, kind))];
    }

    private static ModelConfig Config(LServeShape shape) => new()
    {
        Name = "test", Architecture = "llama", Layers = 2, HiddenSize = 64, FeedForwardSize = 64, QueryHeads = shape.Heads, KvHeads = shape.KvHeads,
        HeadDim = shape.Dim, VocabularySize = 8, ContextLength = 8192, RmsEpsilon = 1e-5f, Rope = new(RopeStyle.Halves, new double[shape.Dim / 2], 1),
    };

    public void Dispose() => Backend.Dispose();
}
