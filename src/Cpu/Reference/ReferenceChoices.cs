using LServe.Inference;

namespace LServe.Cpu;

/// <summary>What <see cref="ReferenceSelect"/> chose for the rows of a step in one layer.</summary>
internal sealed class ReferenceChoices
{
    /// <summary>[slice][block, head]; null: everything is read.</summary>
    private int[]?[][] _chosen = [];
    private int _kvHeads;

    /// <summary>Forgets what was chosen.</summary>
    public void Begin(StepPlan plan, int kvHeads)
    {
        _kvHeads = kvHeads;
        _chosen = new int[plan.Slices.Length][][];
        for (var slice = 0; slice < _chosen.Length; slice++) _chosen[slice] = new int[]?[Blocks(plan.Slices[slice]) * kvHeads];
    }

    /// <summary>The pages chosen for a KV head and a row's query block; null: everything is read.</summary>
    public ref int[]? At(int slice, int head, int block) => ref _chosen[slice][block * _kvHeads + head];

    /// <summary>Query blocks that a slice's rows lie in; a decode row's is its only one.</summary>
    public static int Blocks(in StepSlice slice) => BlockOf(slice, slice.Start + slice.Count - 1) + 1;

    /// <summary>A position's block within its slice.</summary>
    public static int BlockOf(in StepSlice slice, int position) => position / LServeOptions.QueryBlock - slice.Start / LServeOptions.QueryBlock;

    /// <summary>Position of a block's first row within its slice.</summary>
    public static int BlockStart(in StepSlice slice, int block) =>
        Math.Max(slice.Start, (slice.Start / LServeOptions.QueryBlock + block) * LServeOptions.QueryBlock);

    /// <summary>Position after a block's last row.</summary>
    public static int BlockEnd(in StepSlice slice, int block) =>
        Math.Min(slice.Start + slice.Count, (slice.Start / LServeOptions.QueryBlock + block + 1) * LServeOptions.QueryBlock);
}
