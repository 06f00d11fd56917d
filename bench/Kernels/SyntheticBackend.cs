using LServe.Cuda;
using LServe.Cuda.Launch;
using LServe.Cuda.State;
using LServe.Inference;
using LServe.Model;

namespace LServe.Bench.Kernels;

/// <summary>The GPU backend with weights made on the device: matrices are random, of one format, whatever tensors say.</summary>
internal sealed class SyntheticBackend(CudaBackend inner, Device device, WeightFormat format) : IBackend
{
    /// <summary>Bytes of all matrices.</summary>
    public long WeightBytes { get; private set; }

    /// <summary>Told of every operation, while it is set.</summary>
    public OperationClock? Clock { get; set; }

    /// <summary>Launches of the last step that was replayed.</summary>
    public int Launches => inner.Launches;

    public BackendInfo Info => inner.Info;

    public IDeviceWeight LoadMatrix(ReadOnlySpan<Tensor> parts, ReadOnlySpan<Tensor?> biases = default)
    {
        var rows = 0;
        foreach (var part in parts) rows += part.Rows;
        var matrix = device.RandomWeights(format, rows, parts[0].Columns);
        WeightBytes += matrix.Bytes;
        return new CudaMatrix([matrix]);
    }

    public IDeviceWeight LoadVector(Tensor vector) => inner.LoadVector(vector);
    public IDeviceBuffer Allocate(int rows, int columns) => inner.Allocate(rows, columns);

    public void AllocateKv(KvGeometry geometry)
    {
        inner.AllocateKv(geometry);
        foreach (var pool in Enum.GetValues<KvPool>()) device.FillHalves(inner.Pages(pool));
        device.Stream.Synchronize();
    }

    public void BeginStep(StepPlan plan)
    {
        inner.BeginStep(plan);
        Clock?.Mark("before", inner.Stream);
    }

    public void Embed(IDeviceWeight table, IDeviceBuffer x)
    {
        inner.Embed(table, x);
        Clock?.Mark("embed", inner.Stream);
    }

    public void RmsNorm(IDeviceBuffer x, IDeviceWeight gain, float epsilon, IDeviceBuffer y)
    {
        inner.RmsNorm(x, gain, epsilon, y);
        Clock?.Mark("norm", inner.Stream);
    }

    public void Linear(IDeviceBuffer x, IDeviceWeight w, IDeviceBuffer y)
    {
        inner.Linear(x, w, y);
        Clock?.Mark($"product {w.Rows}x{w.Columns}", inner.Stream);
    }

    public void LinearAdd(IDeviceBuffer x, IDeviceWeight w, IDeviceBuffer y)
    {
        inner.LinearAdd(x, w, y);
        Clock?.Mark($"product {w.Rows}x{w.Columns}", inner.Stream);
    }

    public void RopeAppend(LServe.Inference.AttentionLayer layer, IDeviceBuffer qkv)
    {
        inner.RopeAppend(layer, qkv);
        Clock?.Mark("append", inner.Stream);
    }

    public void Select(LServe.Inference.AttentionLayer layer, IDeviceBuffer qkv)
    {
        inner.Select(layer, qkv);
        Clock?.Mark("select", inner.Stream);
    }

    public void Attend(LServe.Inference.AttentionLayer layer, IDeviceBuffer qkv, IDeviceBuffer output)
    {
        inner.Attend(layer, qkv, output);
        Clock?.Mark("attention", inner.Stream);
    }

    public void SiluMul(IDeviceBuffer gateUp, IDeviceBuffer y)
    {
        inner.SiluMul(gateUp, y);
        Clock?.Mark("activation", inner.Stream);
    }

    public void Logits(IDeviceBuffer x, IDeviceWeight gain, float epsilon, IDeviceWeight output)
    {
        inner.Logits(x, gain, epsilon, output);
        Clock?.Mark("logits", inner.Stream);
    }

    public ReadOnlySpan<float> EndStep() => inner.EndStep();
    public void CopyPage(KvPool pool, int from, int to) => inner.CopyPage(pool, from, to);
    public void ReadPage(KvPool pool, int page, Span<byte> to) => inner.ReadPage(pool, page, to);
    public void WritePage(KvPool pool, int page, ReadOnlySpan<byte> from) => inner.WritePage(pool, page, from);
    public void ReadSelection(SelectionState state) => inner.ReadSelection(state);
    public void Dispose() => inner.Dispose();
}
