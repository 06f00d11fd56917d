using LServe.Inference;

namespace LServe.Tests.Kernels.Sparse;

/// <summary>What a <see cref="LServeBed"/> is made for.</summary>
/// <param name="Streaming">[KV head].</param>
/// <param name="Centres">[KV head, channel], or null.</param>
internal sealed record LServeShape(int Heads, int Dim, KvPrecision Precision, bool[] Streaming, LServeOptions Options, float[]? Centres = null)
{
    public int KvHeads => Streaming.Length;
    public int Columns => (Heads + 2 * KvHeads) * Dim;
}

/// <summary>A sequence of a <see cref="LServeBed"/>.</summary>
internal sealed class LServeSequence(TwoWayPageTable pages, SelectionState? selection)
{
    public TwoWayPageTable Pages { get; } = pages;
    public SelectionState? Selection { get; } = selection;

    /// <summary>Tokens in the cache.</summary>
    public int Length { get; set; }
}

/// <summary>Rows of a step that belong to one sequence.</summary>
/// <param name="Rows">[row][(H + 2G)·D]: queries, keys, values.</param>
/// <param name="Decode">Whether the only row is decoded, else the rows are a prompt's.</param>
internal sealed record LServePart(LServeSequence Sequence, float[][] Rows, bool Decode = false, bool Renew = false)
{
    public void AddTo(StepPlan plan)
    {
        if (Decode) plan.AddDecode(Sequence.Pages, Sequence.Length, 0, logits: false, Sequence.Selection, Renew);
        else plan.AddPrefill(Sequence.Pages, Sequence.Length, new int[Rows.Length], LogitChoice.None, Sequence.Selection);
    }
}
