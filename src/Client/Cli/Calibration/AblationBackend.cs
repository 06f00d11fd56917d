using LServe.Cpu;
using LServe.Inference;
using LServe.Model;

namespace LServe.Cli.Calibration;

/// <summary>
/// A CPU backend on which one KV head of one layer can stream while all else stays dense. First a dense pass is recorded; then, since
/// nothing below the head's layer changes, a pass does nothing until it gets there, and goes on from what was recorded.
/// </summary>
internal sealed class AblationBackend(CpuBackend inner) : IBackend
{
    private PromptTrace? _recording, _replayed;
    private StreamingHead? _head;
    private HostBuffer? _hidden;
    private bool _skipping;

    public BackendInfo Info => inner.Info;

    /// <summary>The next passes are dense; what they compute goes to <paramref name="trace"/>.</summary>
    public void Record(PromptTrace trace) => (_recording, _replayed, _head) = (trace, null, null);

    /// <summary>The next passes repeat the recorded one, but that <paramref name="head"/> streams.</summary>
    public void Ablate(PromptTrace trace, StreamingHead head) => (_recording, _replayed, _head) = (null, trace, head);

    public void BeginStep(StepPlan plan)
    {
        _skipping = _head is not null;
        inner.BeginStep(plan);
    }

    public void Embed(IDeviceWeight table, IDeviceBuffer x)
    {
        _hidden = (HostBuffer)x;
        if (!_skipping) inner.Embed(table, x);
    }

    public void RopeAppend(AttentionLayer layer, IDeviceBuffer qkv)
    {
        if (!_skipping) inner.RopeAppend(layer, qkv);
    }

    public void Select(AttentionLayer layer, IDeviceBuffer qkv)
    {
        if (!_skipping) inner.Select(layer, qkv);
    }

    public void Attend(AttentionLayer layer, IDeviceBuffer qkv, IDeviceBuffer output)
    {
        if (layer.Index == _head?.Layer)
        {
            _skipping = false;
            _replayed!.Restore(layer.Index, _hidden!, (HostBuffer)output);
            _head.Attend(_replayed, (HostBuffer)output);
            return;
        }
        if (_skipping) return;
        inner.Attend(layer, qkv, output);
        _recording?.Record(layer.Index, _hidden!, (HostBuffer)qkv, (HostBuffer)output);
    }

    public void RmsNorm(IDeviceBuffer x, IDeviceWeight gain, float epsilon, IDeviceBuffer y)
    {
        if (!_skipping) inner.RmsNorm(x, gain, epsilon, y);
    }

    public void Linear(IDeviceBuffer x, IDeviceWeight w, IDeviceBuffer y)
    {
        if (!_skipping) inner.Linear(x, w, y);
    }

    public void LinearAdd(IDeviceBuffer x, IDeviceWeight w, IDeviceBuffer y)
    {
        if (!_skipping) inner.LinearAdd(x, w, y);
    }

    public void SiluMul(IDeviceBuffer gateUp, IDeviceBuffer y)
    {
        if (!_skipping) inner.SiluMul(gateUp, y);
    }

    public void Logits(IDeviceBuffer x, IDeviceWeight gain, float epsilon, IDeviceWeight output) => inner.Logits(x, gain, epsilon, output);
    public ReadOnlySpan<float> EndStep() => inner.EndStep();
    public IDeviceWeight LoadMatrix(ReadOnlySpan<Tensor> parts, ReadOnlySpan<Tensor?> biases = default) => inner.LoadMatrix(parts, biases);
    public IDeviceWeight LoadVector(Tensor vector) => inner.LoadVector(vector);
    public IDeviceBuffer Allocate(int rows, int columns) => inner.Allocate(rows, columns);
    public void AllocateKv(KvGeometry geometry) => inner.AllocateKv(geometry);
    public void CopyPage(KvPool pool, int from, int to) => inner.CopyPage(pool, from, to);
    public void ReadPage(KvPool pool, int page, Span<byte> to) => inner.ReadPage(pool, page, to);
    public void WritePage(KvPool pool, int page, ReadOnlySpan<byte> from) => inner.WritePage(pool, page, from);
    public void Dispose() => inner.Dispose();
}
