using LServe.Inference;
using LServe.Tests.Kernels.Cuda;

namespace LServe.Tests.Kernels.Sparse;

/// <summary>The GPU backend, where there is a GPU; without one these tests find no backend and say nothing.</summary>
public sealed class LServeCudaCaseTests : LServeCaseTests
{
    internal override IEnumerable<LServeBackend> Backends => Gpu.WhyMissing is null ? [CudaTestBackend.LServe] : [];
}

/// <inheritdoc cref="LServeCudaCaseTests"/>
public sealed class LServeCudaBehaviourTests : LServeBehaviourTests
{
    internal override IEnumerable<LServeBackend> Backends => Gpu.WhyMissing is null ? [CudaTestBackend.LServe] : [];
}

/// <inheritdoc cref="LServeCudaCaseTests"/>
public sealed class LServeCudaDefectTests : LServeDefectTests
{
    internal override IEnumerable<LServeBackend> Backends => Gpu.WhyMissing is null ? [CudaTestBackend.LServe] : [];
}

/// <summary>What the GPU keeps of sequences from step to step.</summary>
public sealed class LServeCudaLineTests
{
    /// <summary>More sequences than there are lines take turns, so that states go to the host and back, and then share a step, for which lines grow.</summary>
    [GpuFact]
    public void Sequences_beyond_the_lines_keep_their_choices()
    {
        const int Sequences = 70, Prompt = 450;
        var options = new LServeOptions { Sink = 20, Local = 70, Budget = 256, Renewal = 64, Candidates = 1, SketchBits = 4, PrefillThreshold = int.MaxValue, Policy = SelectionPolicy.TwoStage };
        var shape = new LServeShape(6, 32, KvPrecision.K8V4, [false, true, false], options);
        using LServeBed crowd = new(CudaTestBackend.LServe, shape, 9 * Sequences), alone = new(CudaTestBackend.LServe, shape, 9 * Sequences);
        var rows = Enumerable.Range(0, Sequences).Select(i => LServeRows.Random(shape, Prompt + 3, seed: i)).ToArray();
        var crowded = rows.Select(r => crowd.Sequence(r.Length)).ToArray();
        for (var i = 0; i < Sequences; i++) crowd.Append(crowded[i], rows[i][..Prompt]);
        LServePart Next(int i) => LServeRows.Part(crowd, crowded[i], rows[i][crowded[i].Length], firstAfterPrompt: Prompt);
        List<float[]>[] outputs = [.. rows.Select(_ => new List<float[]>())];
        for (var turn = 0; turn < 2; turn++)
            for (var i = 0; i < Sequences; i++) outputs[i].Add(crowd.Step(Next(i))[0]);
        var together = crowd.Step([.. Enumerable.Range(0, Sequences).Select(Next)]);
        for (var i = 0; i < Sequences; i++)
        {
            var sequence = alone.Sequence(rows[i].Length);
            alone.Append(sequence, rows[i][..Prompt]);
            Assert.Equal(LServeRows.Decode(alone, sequence, rows[i][Prompt..], firstAfterPrompt: Prompt), [.. outputs[i], together[i]]);
        }
    }
}
