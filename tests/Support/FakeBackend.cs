using System.Runtime.InteropServices;
using LServe.Inference;
using LServe.Model;

namespace LServe.Tests.Support;

/// <summary>
/// A backend without arithmetic: its pages hold token ids, and the next token is a hash of all tokens that a row's page table leads
/// to. So a page that is lost, shared by mistake or written at the wrong place changes the answer, and <see cref="NextToken"/> says
/// what the answer should have been.
/// </summary>
/// <param name="cuts">Whether its pages can be saved token by token.</param>
public sealed class FakeBackend(bool uniformRows = false, bool cuts = true) : IBackend
{
    private sealed record Weight(int Rows, int Columns) : IDeviceWeight
    {
        public void Dispose() { }
    }

    private sealed record Buffer(int Rows, int Columns) : IDeviceBuffer
    {
        public void Dispose() { }
    }

    private const int Unwritten = -1;

    private readonly Dictionary<KvPool, int[]> _slots = [];
    private KvGeometry? _geometry;
    private StepPlan _plan = new();
    private float[] _logits = [];

    /// <summary>Called with each step's plan before it runs; tests wait or throw here.</summary>
    public Action<StepPlan>? OnStep { get; set; }

    public bool IsUsable { get; set; } = true;

    public BackendInfo Info { get; } = new("fake", "fake", 1 << 30, uniformRows, "fake");

    /// <summary>What follows <paramref name="tokens"/>: a visible ASCII character of the <see cref="TinyTokenizer"/>.</summary>
    public static int NextToken(ReadOnlySpan<int> tokens)
    {
        var hash = 14695981039346656037UL;
        foreach (var token in tokens) hash = (hash ^ (uint)token) * 1099511628211UL;
        return TinyTokenizer.FirstByte + '!' + (int)((hash >> 20) % ('~' - '!' + 1));
    }

    public IDeviceWeight LoadMatrix(ReadOnlySpan<Tensor> parts, ReadOnlySpan<Tensor?> biases = default)
    {
        var rows = 0;
        foreach (var part in parts) rows += part.Rows;
        return new Weight(rows, parts[0].Columns);
    }

    public IDeviceWeight LoadVector(Tensor vector) => new Weight(1, vector.Columns);

    public IDeviceBuffer Allocate(int rows, int columns) => new Buffer(rows, columns);

    public void AllocateKv(KvGeometry geometry)
    {
        _geometry = geometry;
        foreach (var pool in Enum.GetValues<KvPool>())
        {
            _slots[pool] = new int[geometry.PagesOf(pool) * KvGeometry.PageTokens];
            _slots[pool].AsSpan().Fill(Unwritten);
        }
    }

    public void BeginStep(StepPlan plan)
    {
        OnStep?.Invoke(plan);
        _plan = plan;
    }

    public void Embed(IDeviceWeight table, IDeviceBuffer x) { }

    public void RmsNorm(IDeviceBuffer x, IDeviceWeight gain, float epsilon, IDeviceBuffer y) { }

    public void Linear(IDeviceBuffer x, IDeviceWeight w, IDeviceBuffer y) { }

    public void LinearAdd(IDeviceBuffer x, IDeviceWeight w, IDeviceBuffer y) { }

    public void RopeAppend(AttentionLayer layer, IDeviceBuffer qkv)
    {
        if (layer.Index > 0) return;
        foreach (var slice in _plan.Slices)
            for (var i = 0; i < slice.Count; i++)
            {
                var (position, token) = (slice.Start + i, _plan.Tokens[slice.FirstRow + i]);
                _slots[KvPool.Retrieval][SlotOf(slice.Pages.Retrieval[position / KvGeometry.PageTokens], position)] = token;
                if (_geometry!.Heads.AnyStreams) _slots[KvPool.Streaming][SlotOf(slice.Pages.Streaming(position / KvGeometry.PageTokens), position)] = token;
            }
    }

    public void Select(AttentionLayer layer, IDeviceBuffer qkv) { }

    public void Attend(AttentionLayer layer, IDeviceBuffer qkv, IDeviceBuffer output) { }

    public void SiluMul(IDeviceBuffer gateUp, IDeviceBuffer y) { }

    public void Logits(IDeviceBuffer x, IDeviceWeight gain, float epsilon, IDeviceWeight output)
    {
        _logits = new float[_plan.LogitRows.Length * output.Rows];
        for (var i = 0; i < _plan.LogitRows.Length; i++)
            _logits[i * output.Rows + NextToken(ContextOf(_plan.LogitRows[i]))] = 10;
    }

    public ReadOnlySpan<float> EndStep() => _logits;

    public void CopyPage(KvPool pool, int from, int to) => Page(pool, from).CopyTo(Page(pool, to));

    public PageForm? FormOf(KvPool pool) => cuts ? new(1, new PageStrip(1, KvGeometry.PageTokens, sizeof(int))) : null;

    public void ReadPage(KvPool pool, int page, Span<byte> to) => MemoryMarshal.AsBytes(Page(pool, page)).CopyTo(to);

    public void WritePage(KvPool pool, int page, ReadOnlySpan<byte> from) =>
        from[..(KvGeometry.PageTokens * sizeof(int))].CopyTo(MemoryMarshal.AsBytes(Page(pool, page)));

    public void Dispose() { }

    private int[] ContextOf(int row)
    {
        foreach (var slice in _plan.Slices)
        {
            if (row < slice.FirstRow || row >= slice.FirstRow + slice.Count) continue;
            var context = new int[slice.Start + row - slice.FirstRow + 1];
            for (var position = 0; position < context.Length; position++)
                context[position] = _slots[KvPool.Retrieval][SlotOf(slice.Pages.Retrieval[position / KvGeometry.PageTokens], position)];
            CheckWindow(slice, context);
            return context;
        }
        throw new ArgumentOutOfRangeException(nameof(row));
    }

    /// <summary>Streaming heads must find every token of their sink and window, dense ones every token.</summary>
    private void CheckWindow(in StepSlice slice, int[] context)
    {
        if (!_geometry!.Heads.AnyStreams) return;
        var last = context.Length - 1;
        for (var position = 0; position < context.Length; position++)
        {
            var seen = slice.Selection is null || position < _geometry.LServe!.Sink || position > last - _geometry.LServe.Local;
            if (seen && _slots[KvPool.Streaming][SlotOf(slice.Pages.Streaming(position / KvGeometry.PageTokens), position)] != context[position])
                throw new InvalidOperationException($"The streaming pool has lost token {position} as seen from {last}.");
        }
    }

    private Span<int> Page(KvPool pool, int page) => _slots[pool].AsSpan(page * KvGeometry.PageTokens, KvGeometry.PageTokens);

    private static int SlotOf(int page, int position) => page * KvGeometry.PageTokens + position % KvGeometry.PageTokens;
}
