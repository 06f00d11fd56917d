namespace LServe.Inference;

/// <summary>One page of a sequence.</summary>
/// <param name="Index">From 0, by position / 64.</param>
public readonly record struct KvPageId(KvPool Pool, int Index);

/// <summary>Tokens of one page.</summary>
/// <param name="First">Position of the first.</param>
/// <param name="End">Position after the last, which is in the same page.</param>
/// <param name="Bytes">As <see cref="PageForm"/> cuts them out; of a backend without one, the whole page.</param>
public readonly record struct KvPart(KvPool Pool, int First, int End, ReadOnlyMemory<byte> Bytes)
{
    public KvPageId Page => new(Pool, First / KvGeometry.PageTokens);
}

/// <summary>The cache of an idle sequence in host memory, or what of it changed since it was saved last.</summary>
/// <param name="Shape">Which tokens and pages there are.</param>
/// <param name="Parts">Tokens that weren't saved yet, by pool and position.</param>
/// <param name="Selection">What <see cref="SelectionState.CopyTo"/> wrote; empty for a dense sequence.</param>
/// <param name="IsComplete">Whether these are all that weren't saved; false when there was more than was asked for at once.</param>
public sealed record KvSnapshot(KvShape Shape, IReadOnlyList<KvPart> Parts, ReadOnlyMemory<byte> Selection, bool IsComplete = true);
