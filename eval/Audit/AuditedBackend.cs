using LServe.Cpu;
using LServe.Inference;
using LServe.Model;

namespace LServe.Eval;

/// <summary>
/// Computes as <paramref name="inner"/> does, and keeps beside it exact keys and values (dense, f16) of the same hidden states, so that every
/// <see cref="Every"/>th decode step can tell what the served attention lost: each layer is compared on equal input: errors of earlier layers don't count.
/// </summary>
internal sealed class AuditedBackend(CpuBackend inner, CpuBackend exact, AttentionAudit audit) : IBackend
{
    /// <summary>Steps: attending exactly costs as much as a dense step, and measuring mass more.</summary>
    private const int Every = 64;

    private readonly StepPlan _densePlan = new();
    private KvGeometry _geometry = null!, _exactGeometry = null!;
    private StepPlan _plan = null!;
    private HostBuffer? _qkv, _output;
    private int _steps;
    private bool _audits;

    public BackendInfo Info => inner.Info;

    public IDeviceWeight LoadMatrix(ReadOnlySpan<Tensor> parts, ReadOnlySpan<Tensor?> biases = default) => inner.LoadMatrix(parts, biases);

    public IDeviceWeight LoadVector(Tensor vector) => inner.LoadVector(vector);

    public IDeviceBuffer Allocate(int rows, int columns) => inner.Allocate(rows, columns);

    public void AllocateKv(KvGeometry geometry)
    {
        _geometry = geometry;
        inner.AllocateKv(geometry);
        _exactGeometry = new(geometry.Layers, geometry.KvHeads, geometry.HeadDim, KvPrecision.F16, geometry.PagesOf(KvPool.Retrieval));
        exact.AllocateKv(_exactGeometry);
    }

    public void BeginStep(StepPlan plan)
    {
        _plan = plan;
        inner.BeginStep(plan);
        _densePlan.Clear();
        foreach (var slice in plan.Slices)
            if (slice.Kind == SliceKind.Decode) _densePlan.AddDecode(slice.Pages, slice.Start, plan.Tokens[slice.FirstRow], false);
            else _densePlan.AddPrefill(slice.Pages, slice.Start, plan.Tokens.Slice(slice.FirstRow, slice.Count), LogitChoice.None);
        exact.BeginStep(_densePlan);
        _audits = plan.Slices[0].Kind == SliceKind.Decode && _steps++ % Every == 0;
    }

    public void RopeAppend(AttentionLayer layer, IDeviceBuffer qkv)
    {
        _qkv ??= (HostBuffer)exact.Allocate(qkv.Rows, qkv.Columns);
        for (var row = 0; row < _plan.Rows; row++) CpuBackend.RowOf(qkv, row).CopyTo(_qkv.Values(row));
        exact.RopeAppend(layer, _qkv);
        inner.RopeAppend(layer, qkv);
    }

    public void Select(AttentionLayer layer, IDeviceBuffer qkv) => inner.Select(layer, qkv);

    public void Attend(AttentionLayer layer, IDeviceBuffer qkv, IDeviceBuffer output)
    {
        inner.Attend(layer, qkv, output);
        if (!_audits) return;
        _output ??= (HostBuffer)exact.Allocate(output.Rows, output.Columns);
        exact.Attend(layer, _qkv!, _output);
        for (var row = 0; row < _plan.Rows; row++) audit.AddOutput(CpuBackend.RowOf(output, row), _output.Values(row));
        var heads = _geometry.KvHeads;
        Parallel.For(0, _plan.Slices.Length * heads, unit => AddMass(layer, unit / heads, unit % heads));
    }

    private void AddMass(AttentionLayer layer, int index, int head)
    {
        var (slice, place, config) = (_plan.Slices[index], _geometry.Heads[layer.Index, head], layer.Config);
        var keys = new ExactKeys(exact.Kv, slice.Pages, _exactGeometry.Heads[layer.Index, head]);
        var queries = _qkv!.Values(slice.FirstRow).Slice(head * config.GroupSize * config.HeadDim, config.GroupSize * config.HeadDim);
        var masses = keys.Masses(queries, config.GroupSize, slice.Start + 1, inner.SeenBy(slice, index, place, head));
        audit.AddMass(place.Streams, masses);
    }

    public void Embed(IDeviceWeight table, IDeviceBuffer x) => inner.Embed(table, x);

    public void RmsNorm(IDeviceBuffer x, IDeviceWeight gain, float epsilon, IDeviceBuffer y) => inner.RmsNorm(x, gain, epsilon, y);

    public void Linear(IDeviceBuffer x, IDeviceWeight w, IDeviceBuffer y) => inner.Linear(x, w, y);

    public void LinearAdd(IDeviceBuffer x, IDeviceWeight w, IDeviceBuffer y) => inner.LinearAdd(x, w, y);

    public void SiluMul(IDeviceBuffer gateUp, IDeviceBuffer y) => inner.SiluMul(gateUp, y);

    public void Logits(IDeviceBuffer x, IDeviceWeight gain, float epsilon, IDeviceWeight output) => inner.Logits(x, gain, epsilon, output);

    public ReadOnlySpan<float> EndStep()
    {
        exact.EndStep();
        return inner.EndStep();
    }

    public void CopyPage(KvPool pool, int from, int to) => throw new NotSupportedException("Evaluations don't share pages.");

    public void ReadPage(KvPool pool, int page, Span<byte> to) => inner.ReadPage(pool, page, to);

    public void WritePage(KvPool pool, int page, ReadOnlySpan<byte> from) => throw new NotSupportedException("The exact pages beside it would not follow.");

    public void Dispose()
    {
        inner.Dispose();
        exact.Dispose();
        _qkv?.Dispose();
        _output?.Dispose();
    }
}
