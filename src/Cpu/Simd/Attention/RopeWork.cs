using System.Runtime.CompilerServices;
using LServe.Inference;
using LServe.Model;

namespace LServe.Cpu;

/// <summary>Per-head norms where the layer has them, then rotation of queries and keys, in place. A unit is a row.</summary>
internal sealed unsafe class RopeWork(RmsNormWork norm) : ParallelWork, IDisposable
{
    private readonly RopeTable _table = new();
    private StepPlan _plan = null!;
    private AttentionLayer _layer = null!;
    private HostBuffer _qkv = null!;

    public void Begin(StepPlan plan)
    {
        _plan = plan;
        _table.Reset();
    }

    public void Run(WorkerPool pool, AttentionLayer layer, HostBuffer qkv)
    {
        (_layer, _qkv) = (layer, qkv);
        _table.Prepare(_plan.Positions, layer.Config.Rope);
        if (_plan.Rows >= SimdKernels.RowsWorthSharing) pool.Run(this, _plan.Rows);
        else
            for (var row = 0; row < _plan.Rows; row++) Execute(row, 0);
    }

    public override void Execute(int unit, int thread)
    {
        var config = _layer.Config;
        var heads = _qkv.Row(unit);
        for (var head = 0; head < config.QueryHeads; head++) Prepare(heads + head * config.HeadDim, _layer.QueryNorm, unit);
        heads += (long)config.QueryHeads * config.HeadDim;
        for (var head = 0; head < config.KvHeads; head++) Prepare(heads + head * config.HeadDim, _layer.KeyNorm, unit);
    }

    private void Prepare(float* head, IDeviceWeight? gain, int row)
    {
        var (config, dim) = (_layer.Config, _layer.Config.HeadDim);
        if (gain is not null) norm.Row(head, ((HostVector)gain).Data, dim, config.RmsEpsilon, head);
        if (config.Rope.Style == RopeStyle.Interleaved) RotateNeighbours(head, _table.Row(row), dim / 2);
        else RotateHalves(head, _table.Row(row), dim / 2);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RotateNeighbours(float* head, float* table, int pairs)
    {
        for (var i = 0; i < pairs; i++)
        {
            float a = head[2 * i], b = head[2 * i + 1], cos = table[i], sin = table[pairs + i];
            head[2 * i] = a * cos - b * sin;
            head[2 * i + 1] = a * sin + b * cos;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RotateHalves(float* head, float* table, int pairs)
    {
        for (var i = 0; i < pairs; i++)
        {
            float a = head[i], b = head[pairs + i], cos = table[i], sin = table[pairs + i];
            head[i] = a * cos - b * sin;
            head[pairs + i] = a * sin + b * cos;
        }
    }

    public void Dispose() => _table.Dispose();
}
