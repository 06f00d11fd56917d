using LServe.Inference;
using LServe.Model;

namespace LServe.Cpu;

/// <summary>
/// The fast backend of the host: vector kernels on weights as the model file stores them, paged KV.
/// A row's result is bit for bit the same alone, in any batch, on any number of threads and however its prompt was cut, for one
/// <see cref="SimdLevel"/> and one kind of <see cref="Activations"/>; prompt rows and decode rows give the same bits, too. A step allocates nothing once sizes have settled.
/// </summary>
public sealed unsafe class CpuBackend : IBackend
{
    private readonly WorkerPool _pool;
    private readonly SimdLevel _level;
    private readonly SimdKernels _kernels;
    private readonly EmbedWork _embed = new();
    private readonly LogitsBuffer _logits = new();
    private AttendWork? _attend;
    private RopeWork? _rope;
    private AppendWork? _append;
    private SelectWork? _select;
    private PageLists? _lists;
    private KvPages? _kv;
    private StepPlan? _plan;

    /// <exception cref="NotSupportedException">The machine has no such vectors as <see cref="CpuOptions.Level"/> asks for.</exception>
    public CpuBackend(CpuOptions options)
    {
        _level = options.Level ?? SimdLevels.Widest;
        if (_level < SimdLevels.Widest)
            throw new NotSupportedException($"This machine computes with {SimdLevels.Widest} at most, not with {_level}: leave the level out, or choose a narrower one.");
        _pool = new WorkerPool(options.Threads);
        _kernels = SimdKernels.Create(_level, _pool.Threads, options.Activations);
        Info = new BackendInfo(
            $"cpu ({_level}, {options.Activations.Name()} activations, {_pool.Threads} threads)", $"cpu-{options.Activations.Name()}-1-{_level}",
            GC.GetGCMemoryInfo().TotalAvailableMemoryBytes, UniformRows: true, PageLayout: "cpu-1");
    }

    public BackendInfo Info { get; }

    private StepPlan Plan => _plan ?? throw new InvalidOperationException("No step has begun.");
    /// <summary>A row of activations that this backend allocated, in its own memory.</summary>
    public static Span<float> RowOf(IDeviceBuffer buffer, int row) => ((HostBuffer)buffer).Values(row);

    /// <summary>Pages that a retrieval head of a sparse slice chose last; for tests.</summary>
    internal int[] ChosenPages(int slice, int head, int block = 0) => _lists!.Chosen(slice, head, block).ToArray();

    /// <summary>Tokens that a head's decode row reads in the running step, one bit each, page by page; after <see cref="Select"/>.</summary>
    internal ulong[] SeenBy(in StepSlice slice, int index, HeadPlace place, int head)
    {
        var seen = new ulong[KvGeometry.PagesFor(slice.Start + 1)];
        var walk = _lists!.Walk(slice, index, place, head, slice.Start, slice.Start);
        for (var entry = 0; entry < walk.Count; entry++)
        {
            var page = walk.Page(entry, _lists.Pages);
            seen[page] = walk.Windowed
                ? PageVisibility.Streaming(slice.Start, page, Kv.Geometry.LServe!.Sink, Kv.Geometry.LServe.Local)
                : PageVisibility.Causal(slice.Start, page);
        }
        return seen;
    }

    internal KvPages Kv => _kv ?? throw new InvalidOperationException("AllocateKv comes before the first step.");

    public IDeviceWeight LoadMatrix(ReadOnlySpan<Tensor> parts, ReadOnlySpan<Tensor?> biases = default)
    {
        var matrix = new SimdMatrix(new HostMatrix(parts, biases), _kernels.WeightKernels);
        _kernels.Linear.Reserve(matrix);
        return matrix;
    }

    public IDeviceWeight LoadVector(Tensor vector) => new HostVector(vector);

    public IDeviceBuffer Allocate(int rows, int columns) => new HostBuffer(rows, columns);

    public void AllocateKv(KvGeometry geometry)
    {
        if (_kv is not null) throw new InvalidOperationException("The KV pages are allocated already.");
        _kv = new KvPages(geometry);
        var kernels = SimdKernels.Create(_level.Dividing(geometry.HeadDim), _pool.Threads);
        _attend = kernels.CreateAttend(_pool.Threads);
        _select = kernels.CreateSelect(_pool.Threads);
        _append = kernels.CreateAppend();
        _rope = new RopeWork(kernels.RmsNorm);
        kernels.Linear.Dispose();
    }

    public void BeginStep(StepPlan plan)
    {
        _plan = plan;
        if (_kv is null) return;
        _rope!.Begin(plan);
        _append!.Begin(plan, _kv);
        _lists = _select!.Begin(plan, _kv);
        _attend!.Begin(plan, _kv, _lists);
    }

    public void Embed(IDeviceWeight table, IDeviceBuffer x) => _embed.Run(_pool, Plan, (SimdMatrix)table, (HostBuffer)x);

    public void RmsNorm(IDeviceBuffer x, IDeviceWeight gain, float epsilon, IDeviceBuffer y) =>
        _kernels.RmsNorm.Run(_pool, (HostBuffer)x, ((HostVector)gain).Data, epsilon, (HostBuffer)y, Plan.Rows);

    public void Linear(IDeviceBuffer x, IDeviceWeight w, IDeviceBuffer y) => Multiply((HostBuffer)x, (SimdMatrix)w, (HostBuffer)y, add: false);

    public void LinearAdd(IDeviceBuffer x, IDeviceWeight w, IDeviceBuffer y) => Multiply((HostBuffer)x, (SimdMatrix)w, (HostBuffer)y, add: true);

    public void RopeAppend(AttentionLayer layer, IDeviceBuffer qkv)
    {
        _ = Kv;
        _rope!.Run(_pool, layer, (HostBuffer)qkv);
        _append!.Run(_pool, layer, (HostBuffer)qkv);
    }

    public void Select(AttentionLayer layer, IDeviceBuffer qkv) => _select!.Run(_pool, layer, (HostBuffer)qkv);

    public void Attend(AttentionLayer layer, IDeviceBuffer qkv, IDeviceBuffer output)
    {
        _ = Kv;
        _attend!.Run(_pool, layer, (HostBuffer)qkv, (HostBuffer)output);
    }

    public void SiluMul(IDeviceBuffer gateUp, IDeviceBuffer y) => _kernels.SiluMul.Run(_pool, (HostBuffer)gateUp, (HostBuffer)y, Plan.Rows);

    public void Logits(IDeviceBuffer x, IDeviceWeight gain, float epsilon, IDeviceWeight output)
    {
        var (from, weights) = ((HostBuffer)x, (SimdMatrix)output);
        var rows = Plan.LogitRows;
        _logits.Reserve(rows.Length, weights.Columns, weights.Rows);
        for (var i = 0; i < rows.Length; i++)
            _kernels.RmsNorm.Row(from.Row(rows[i]), ((HostVector)gain).Data, from.Columns, epsilon, _logits.Normed(i));
        if (rows.Length > 0)
            _kernels.Linear.Run(_pool, _logits.Normed(0), _logits.NormedStride, rows.Length, weights, _logits.Values, weights.Rows, add: false);
    }

    public ReadOnlySpan<float> EndStep()
    {
        var rows = Plan.LogitRows.Length;
        _plan = null;
        return _logits.First(rows);
    }

    public void CopyPage(KvPool pool, int from, int to) => Kv.Copy(pool, from, to);

    public Memory<byte>? MemoryOf(KvPool pool, int page) => Kv.MemoryOf(pool, page);

    public PageForm FormOf(KvPool pool) => Kv.FormOf(pool);

    public void ReadPage(KvPool pool, int page, Span<byte> to) => Kv.Page(pool, page).CopyTo(to);

    public void WritePage(KvPool pool, int page, ReadOnlySpan<byte> from) => from[..Kv.Page(pool, page).Length].CopyTo(Kv.Page(pool, page));

    private void Multiply(HostBuffer x, SimdMatrix w, HostBuffer y, bool add) =>
        _kernels.Linear.Run(_pool, x.Data, x.Stride, Plan.Rows, w, y.Data, y.Stride, add);

    public void Dispose()
    {
        _pool.Dispose();
        _kernels.Linear.Dispose();
        _attend?.Dispose();
        _rope?.Dispose();
        _select?.Dispose();
        _kv?.Dispose();
        _logits.Dispose();
    }
}
