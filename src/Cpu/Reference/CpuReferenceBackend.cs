using LServe.Inference;
using LServe.Model;

namespace LServe.Cpu;

/// <summary>
/// The truth the fast backends are tested against: plain scalar code, sums in float64, weights read row by row as their file stores them.
/// One file per operation. Slow: about 10⁹ multiplications a second and thread.
/// </summary>
public sealed class CpuReferenceBackend : IBackend
{
    private readonly WorkerPool _pool;
    private readonly RowWork _rows = new();
    private readonly ReferenceChoices _choices = new();
    private StepPlan? _plan;
    private ReferenceKv? _kv;
    private HostBuffer? _logits, _normed;

    /// <param name="threads">Threads; 0: one per core.</param>
    public CpuReferenceBackend(int threads = 0)
    {
        _pool = new WorkerPool(threads);
        Info = new BackendInfo("cpu reference (scalar, float64 sums)", "cpu-reference-1", GC.GetGCMemoryInfo().TotalAvailableMemoryBytes, UniformRows: true, PageLayout: "cpu-reference");
    }

    public BackendInfo Info { get; }

    private StepPlan Plan => _plan ?? throw new InvalidOperationException("No step has begun.");
    private ReferenceKv Kv => _kv ?? throw new InvalidOperationException("AllocateKv comes before the first step.");

    public IDeviceWeight LoadMatrix(ReadOnlySpan<Tensor> parts, ReadOnlySpan<Tensor?> biases = default) => new HostMatrix(parts, biases);

    public IDeviceWeight LoadVector(Tensor vector) => new HostVector(vector);

    public IDeviceBuffer Allocate(int rows, int columns) => new HostBuffer(rows, columns);

    public void AllocateKv(KvGeometry geometry)
    {
        if (_kv is not null) throw new InvalidOperationException("The KV pages are allocated already.");
        _kv = new ReferenceKv(geometry);
    }

    public void BeginStep(StepPlan plan)
    {
        _plan = plan;
        if (_kv is not null) _choices.Begin(plan, _kv.Geometry.KvHeads);
    }

    public void Embed(IDeviceWeight table, IDeviceBuffer x)
    {
        var (matrix, to, plan) = ((HostMatrix)table, (HostBuffer)x, Plan);
        ForRows(plan.Rows, row => ReferenceEmbed.Row(matrix, plan.Tokens[row], to.Values(row)));
    }

    public void RmsNorm(IDeviceBuffer x, IDeviceWeight gain, float epsilon, IDeviceBuffer y)
    {
        var (from, g, to) = ((HostBuffer)x, (HostVector)gain, (HostBuffer)y);
        ForRows(Plan.Rows, row => ReferenceRmsNorm.Row(from.Values(row), g.Values, epsilon, to.Values(row)));
    }

    public void Linear(IDeviceBuffer x, IDeviceWeight w, IDeviceBuffer y) => Multiply((HostBuffer)x, (HostMatrix)w, (HostBuffer)y, Plan.Rows, add: false);

    public void LinearAdd(IDeviceBuffer x, IDeviceWeight w, IDeviceBuffer y) => Multiply((HostBuffer)x, (HostMatrix)w, (HostBuffer)y, Plan.Rows, add: true);

    public void RopeAppend(AttentionLayer layer, IDeviceBuffer qkv)
    {
        var (heads, kv) = ((HostBuffer)qkv, Kv);
        foreach (var each in Plan.Slices)
        {
            var slice = each;
            ForRows(slice.Count, i => ReferenceRopeAppend.Row(layer, kv, slice.Pages, slice.Start + i, heads.Values(slice.FirstRow + i)));
            if (slice.Selection is null) continue;
            ForRows(kv.Geometry.KvHeads, head =>
            {
                for (var i = 0; i < slice.Count; i++)
                    ReferenceRopeAppend.Statistics(layer, kv, slice, head, slice.Start + i, heads.Values(slice.FirstRow + i));
            });
        }
    }

    public void Select(AttentionLayer layer, IDeviceBuffer qkv)
    {
        var (heads, kv) = ((HostBuffer)qkv, Kv);
        _choices.Begin(Plan, kv.Geometry.KvHeads);
        for (var index = 0; index < Plan.Slices.Length; index++)
        {
            var (number, slice) = (index, Plan.Slices[index]);
            if (slice.Selection is null || kv.Geometry.LServe!.Policy == SelectionPolicy.All) continue;
            ForRows(ReferenceChoices.Blocks(slice) * kv.Geometry.KvHeads, unit =>
            {
                var (block, head) = Math.DivRem(unit, kv.Geometry.KvHeads);
                _choices.At(number, head, block) = ReferenceSelect.Pages(layer, kv, slice, head, block, heads);
            });
        }
    }

    /// <summary>Pages that <see cref="Select"/> chose in the layer it ran for last; empty: none, everything is read.</summary>
    /// <param name="block">Query block of a prompt's slice, from 0.</param>
    internal int[] ChosenPages(int slice, int head, int block = 0) => _choices.At(slice, head, block) ?? [];

    public void Attend(AttentionLayer layer, IDeviceBuffer qkv, IDeviceBuffer output)
    {
        var (heads, to, kv) = ((HostBuffer)qkv, (HostBuffer)output, Kv);
        for (var index = 0; index < Plan.Slices.Length; index++)
        {
            var (number, slice) = (index, Plan.Slices[index]);
            ForRows(slice.Count, i =>
            {
                var (row, position) = (slice.FirstRow + i, slice.Start + i);
                var block = ReferenceChoices.BlockOf(slice, position);
                ReferenceAttend.Row(layer, kv, slice, position, head => _choices.At(number, head, block), heads.Values(row), to.Values(row));
            });
        }
    }

    public void SiluMul(IDeviceBuffer gateUp, IDeviceBuffer y)
    {
        var (from, to) = ((HostBuffer)gateUp, (HostBuffer)y);
        ForRows(Plan.Rows, row => ReferenceSiluMul.Row(from.Values(row), to.Values(row)));
    }

    public void Logits(IDeviceBuffer x, IDeviceWeight gain, float epsilon, IDeviceWeight output)
    {
        var (from, g, matrix, plan) = ((HostBuffer)x, (HostVector)gain, (HostMatrix)output, Plan);
        var rows = plan.LogitRows.Length;
        if (rows == 0) return;
        _normed?.Dispose();
        _logits?.Dispose();
        (_normed, _logits) = (new HostBuffer(rows, matrix.Columns), new HostBuffer(rows, matrix.Rows));
        for (var i = 0; i < rows; i++) ReferenceRmsNorm.Row(from.Values(plan.LogitRows[i]), g.Values, epsilon, _normed.Values(i));
        Multiply(_normed, matrix, _logits, rows, add: false);
    }

    public ReadOnlySpan<float> EndStep()
    {
        var rows = Plan.LogitRows.Length;
        _plan = null;
        if (rows == 0) return [];
        var flat = new float[rows * _logits!.Columns];
        for (var row = 0; row < rows; row++) _logits.Values(row).CopyTo(flat.AsSpan(row * _logits.Columns));
        return flat;
    }

    public void CopyPage(KvPool pool, int from, int to) => Kv.Copy(pool, from, to);

    public void ReadPage(KvPool pool, int page, Span<byte> to) => Kv.Page(pool, page).CopyTo(to);

    public void WritePage(KvPool pool, int page, ReadOnlySpan<byte> from) => from[..Kv.Page(pool, page).Length].CopyTo(Kv.Page(pool, page));

    private void Multiply(HostBuffer x, HostMatrix w, HostBuffer y, int rows, bool add) =>
        ForRows(w.Rows, output => ReferenceLinear.Output(x, w, output, rows, add, y));

    private void ForRows(int rows, Action<int> body)
    {
        _rows.Body = body;
        _pool.Run(_rows, rows);
    }

    public void Dispose()
    {
        _pool.Dispose();
        _kv?.Dispose();
        _normed?.Dispose();
        _logits?.Dispose();
    }

    private sealed class RowWork : ParallelWork
    {
        public Action<int> Body = _ => { };

        public override void Execute(int unit, int thread) => Body(unit);
    }
}
