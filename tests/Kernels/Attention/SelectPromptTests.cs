using LServe.Inference;
using LServe.Tests.Kernels.Cuda;
using LServe.Tests.Kernels.Sparse;

namespace LServe.Tests.Kernels.Attention;

/// <summary>The pages that blocks of prompts choose on the GPU against the scalar reference's, in one step for prompts that begin anywhere.</summary>
public class SelectPromptTests
{
    public static TheoryData<SelectionPolicy, int, int, KvPrecision> Cases => new()
    {
        { SelectionPolicy.Quest, 128, 4, KvPrecision.K8V4 }, { SelectionPolicy.Moments, 128, 4, KvPrecision.Int4 }, { SelectionPolicy.TwoStage, 128, 4, KvPrecision.K8V4 },
        { SelectionPolicy.TwoStage, 64, 3, KvPrecision.Int8 }, { SelectionPolicy.TwoStage, 128, 8, KvPrecision.F16 }, { SelectionPolicy.Quest, 256, 2, KvPrecision.K8V4 },
    };

    [GpuTheory, MemberData(nameof(Cases))]
    public void BlocksChooseThePagesOfTheReference(SelectionPolicy policy, int dim, int group, KvPrecision precision)
    {
        (int Start, int End)[] prompts = [(900, 1290), (0, 300), (384, 385), (640, 1000)];
        var options = new LServeOptions { Sink = 64, Local = 128, Budget = 256, Policy = policy, Deviation = 0.5f, SketchBits = 4, PrefillThreshold = 256, PrefillBudget = 256 };
        var shape = new LServeShape(2 * group, dim, precision, [true, false], options);
        using LServeBed truth = new(LServeBackend.Reference, shape, 60), gpu = new(CudaTestBackend.LServe, shape, 60);
        var rows = prompts.Select((prompt, i) => LServeRows.Random(shape, prompt.End, seed: i)).ToArray();
        LServePart[] Parts(LServeBed bed) => [.. prompts.Select((prompt, i) =>
        {
            var sequence = bed.Sequence(prompt.End);
            if (prompt.Start > 0) bed.Append(sequence, rows[i][..prompt.Start]);
            return new LServePart(sequence, rows[i][prompt.Start..]);
        })];
        var expected = truth.Step(Parts(truth));
        var actual = gpu.Step(Parts(gpu));
        for (var i = 0; i < prompts.Length; i++)
            for (var block = 0; block <= (prompts[i].End - 1) / 128 - prompts[i].Start / 128; block++)
                if (Math.Max(prompts[i].Start, (prompts[i].Start / 128 + block) * 128) >= options.PrefillThreshold)
                    Assert.Equal(truth.Chosen(i, 1, block), gpu.Chosen(i, 1, block));
        for (var row = 0; row < expected.Length; row++) Assert.InRange(Cpu.LogitMath.RelativeError(expected[row], actual[row]), 0, 5e-3);
    }
}
