using System.Diagnostics;
using LServe.Inference;
using LServe.Model;

namespace LServe.Bench.Sparse;

/// <summary>Passes everything on and notes the time that steps, page selection and attention take.</summary>
internal sealed class TimedBackend(IBackend inner) : IBackend
{
    private long _stepBegan;

    /// <summary>Seconds since <see cref="Reset"/>.</summary>
    public double Steps { get; private set; }
    public double Selection { get; private set; }
    public double Attention { get; private set; }
    public double Appending { get; private set; }

    public BackendInfo Info => inner.Info;

    public void Reset() => (Steps, Selection, Attention, Appending) = (0, 0, 0, 0);

    public void BeginStep(StepPlan plan)
    {
        _stepBegan = Stopwatch.GetTimestamp();
        inner.BeginStep(plan);
    }

    public ReadOnlySpan<float> EndStep()
    {
        var logits = inner.EndStep();
        Steps += Since(_stepBegan);
        return logits;
    }

    public void RopeAppend(AttentionLayer layer, IDeviceBuffer qkv)
    {
        var began = Stopwatch.GetTimestamp();
        inner.RopeAppend(layer, qkv);
        Appending += Since(began);
    }

    public void Select(AttentionLayer layer, IDeviceBuffer qkv)
    {
        var began = Stopwatch.GetTimestamp();
        inner.Select(layer, qkv);
        Selection += Since(began);
    }

    public void Attend(AttentionLayer layer, IDeviceBuffer qkv, IDeviceBuffer output)
    {
        var began = Stopwatch.GetTimestamp();
        inner.Attend(layer, qkv, output);
        Attention += Since(began);
    }

    public IDeviceWeight LoadMatrix(ReadOnlySpan<Tensor> parts, ReadOnlySpan<Tensor?> biases = default) => inner.LoadMatrix(parts, biases);

    public IDeviceWeight LoadVector(Tensor vector) => inner.LoadVector(vector);

    public IDeviceBuffer Allocate(int rows, int columns) => inner.Allocate(rows, columns);

    public void AllocateKv(KvGeometry geometry) => inner.AllocateKv(geometry);

    public void Embed(IDeviceWeight table, IDeviceBuffer x) => inner.Embed(table, x);

    public void RmsNorm(IDeviceBuffer x, IDeviceWeight gain, float epsilon, IDeviceBuffer y) => inner.RmsNorm(x, gain, epsilon, y);

    public void Linear(IDeviceBuffer x, IDeviceWeight w, IDeviceBuffer y) => inner.Linear(x, w, y);

    public void LinearAdd(IDeviceBuffer x, IDeviceWeight w, IDeviceBuffer y) => inner.LinearAdd(x, w, y);

    public void SiluMul(IDeviceBuffer gateUp, IDeviceBuffer y) => inner.SiluMul(gateUp, y);

    public void Logits(IDeviceBuffer x, IDeviceWeight gain, float epsilon, IDeviceWeight output) => inner.Logits(x, gain, epsilon, output);

    public void CopyPage(KvPool pool, int from, int to) => inner.CopyPage(pool, from, to);

    public void ReadPage(KvPool pool, int page, Span<byte> to) => inner.ReadPage(pool, page, to);

    public void WritePage(KvPool pool, int page, ReadOnlySpan<byte> from) => inner.WritePage(pool, page, from);

    public void Dispose() => inner.Dispose();

    private static double Since(long began) => Stopwatch.GetElapsedTime(began).TotalSeconds;
}
