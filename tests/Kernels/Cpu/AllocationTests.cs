using LServe.Cpu;
using LServe.Inference;
using LServe.Model;
using LServe.Tests.Support;

namespace LServe.Tests.Kernels.Cpu;

public sealed class AllocationTests
{
    [Theory, InlineData(1, Activations.Float32), InlineData(2, Activations.Float32), InlineData(2, Activations.Int8)]
    public void A_step_allocates_nothing_in_steady_state(int threads, Activations activations)
    {
        using var file = new TemporaryFile(TinyModel.Bytes(new() { MatrixType = TensorType.Q4_1 }));
        using var model = ModelFile.Open(file.Path);
        using var backend = new CpuBackend(new() { Threads = threads, Activations = activations });
        using var forward = new LlamaForward(backend, model.Config, model.Weights, 64);
        backend.AllocateKv(new(model.Config.Layers, model.Config.KvHeads, model.Config.HeadDim, KvPrecision.F16, 16));
        var (first, second) = (new TwoWayPageTable(), new TwoWayPageTable());
        for (var i = 0; i < 5; i++)
        {
            first.Add(i);
            second.Add(8 + i);
        }
        var (plan, prompt) = (new StepPlan(), new int[20]);
        Step(0);
        Step(1);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var position = 2; position < 10; position++) Step(position);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Step(int index)
        {
            plan.Clear();
            plan.AddDecode(first, index, 1, true);
            plan.AddPrefill(second, index * prompt.Length, prompt, LogitChoice.Last);
            forward.Run(plan);
        }
    }
}
