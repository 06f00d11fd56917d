using LServe.Inference;
using LServe.Model;

namespace LServe.Tests.Contracts;

/// <summary>A backend whose steps wait at a gate.</summary>
internal sealed class GatedBackend(IBackend inner, StepGate gate) : IBackend
{
    public BackendInfo Info => inner.Info;

    public IDeviceWeight LoadMatrix(ReadOnlySpan<Tensor> parts, ReadOnlySpan<Tensor?> biases = default) => inner.LoadMatrix(parts, biases);

    public IDeviceWeight LoadVector(Tensor vector) => inner.LoadVector(vector);

    public IDeviceBuffer Allocate(int rows, int columns) => inner.Allocate(rows, columns);

    public void AllocateKv(KvGeometry geometry) => inner.AllocateKv(geometry);

    public void BeginStep(StepPlan plan)
    {
        gate.Pass();
        inner.BeginStep(plan);
    }

    public void Embed(IDeviceWeight table, IDeviceBuffer x) => inner.Embed(table, x);

    public void RmsNorm(IDeviceBuffer x, IDeviceWeight gain, float epsilon, IDeviceBuffer y) => inner.RmsNorm(x, gain, epsilon, y);

    public void Linear(IDeviceBuffer x, IDeviceWeight w, IDeviceBuffer y) => inner.Linear(x, w, y);

    public void LinearAdd(IDeviceBuffer x, IDeviceWeight w, IDeviceBuffer y) => inner.LinearAdd(x, w, y);

    public void RopeAppend(AttentionLayer layer, IDeviceBuffer qkv) => inner.RopeAppend(layer, qkv);

    public void Select(AttentionLayer layer, IDeviceBuffer qkv) => inner.Select(layer, qkv);

    public void Attend(AttentionLayer layer, IDeviceBuffer qkv, IDeviceBuffer output) => inner.Attend(layer, qkv, output);

    public void SiluMul(IDeviceBuffer gateUp, IDeviceBuffer y) => inner.SiluMul(gateUp, y);

    public void Logits(IDeviceBuffer x, IDeviceWeight gain, float epsilon, IDeviceWeight output) => inner.Logits(x, gain, epsilon, output);

    public ReadOnlySpan<float> EndStep() => inner.EndStep();

    public void CopyPage(KvPool pool, int from, int to) => inner.CopyPage(pool, from, to);

    public void ReadPage(KvPool pool, int page, Span<byte> to) => inner.ReadPage(pool, page, to);

    public void WritePage(KvPool pool, int page, ReadOnlySpan<byte> from) => inner.WritePage(pool, page, from);

    public void ReadSelection(SelectionState state) => inner.ReadSelection(state);

    public void Dispose() => inner.Dispose();
}
