using LServe.Inference;
using LServe.Model;

namespace LServe.Tests.Support;

/// <summary>
/// Passes everything on to another backend and notes the bytes that the step loop's thread has allocated when each step begins: the
/// difference of two neighbours is what a whole step allocates, scheduling, sampling and telling included.
/// </summary>
public sealed class StepAllocations(IBackend inner, int capacity) : IBackend
{
    private readonly long[] _bytes = new long[capacity];
    private int _steps;

    /// <summary>Bytes allocated by each of the recorded steps but the last.</summary>
    public IReadOnlyList<long> PerStep =>
        [.. Enumerable.Range(0, Math.Max(0, Math.Min(_steps, capacity) - 1)).Select(i => _bytes[i + 1] - _bytes[i])];

    public BackendInfo Info => inner.Info;

    public void BeginStep(StepPlan plan)
    {
        if (_steps < capacity) _bytes[_steps++] = GC.GetAllocatedBytesForCurrentThread();
        inner.BeginStep(plan);
    }

    public IDeviceWeight LoadMatrix(ReadOnlySpan<Tensor> parts, ReadOnlySpan<Tensor?> biases = default) => inner.LoadMatrix(parts, biases);

    public IDeviceWeight LoadVector(Tensor vector) => inner.LoadVector(vector);

    public IDeviceBuffer Allocate(int rows, int columns) => inner.Allocate(rows, columns);

    public void AllocateKv(KvGeometry geometry) => inner.AllocateKv(geometry);

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
