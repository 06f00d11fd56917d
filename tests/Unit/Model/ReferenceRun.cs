using LServe.Cpu;
using LServe.Inference;
using LServe.Model;

namespace LServe.Tests.Unit.Model;

/// <summary>One sequence of up to 512 tokens on the reference backend, without the engine.</summary>
internal sealed class ReferenceRun : IDisposable
{
    private const int MaxRows = 256, Pages = 8;

    private readonly CpuReferenceBackend _backend = new();
    private readonly LlamaForward _forward;
    private readonly TwoWayPageTable _table = new();
    private readonly StepPlan _plan = new();
    private int _length;

    public ReferenceRun(ModelFile model)
    {
        _forward = new LlamaForward(_backend, model.Config, model.Weights, MaxRows);
        _backend.AllocateKv(new(model.Config.Layers, model.Config.KvHeads, model.Config.HeadDim, KvPrecision.F32, Pages));
        for (var page = 0; page < Pages; page++) _table.Add(page);
    }

    /// <summary>Logits [ids.Length, vocabulary].</summary>
    public float[] Prefill(int[] ids)
    {
        _plan.Clear();
        _plan.AddPrefill(_table, _length, ids, LogitChoice.All);
        _length += ids.Length;
        return _forward.Run(_plan).ToArray();
    }

    /// <summary>Logits [vocabulary].</summary>
    public float[] Decode(int token)
    {
        _plan.Clear();
        _plan.AddDecode(_table, _length++, token, true);
        return _forward.Run(_plan).ToArray();
    }

    public void Dispose()
    {
        _forward.Dispose();
        _backend.Dispose();
    }
}
