namespace LServe.Inference;

/// <summary>One page of a sequence.</summary>
/// <param name="Index">From 0, by position / 64.</param>
public readonly record struct KvPageId(KvPool Pool, int Index);

/// <param name="Bytes">As <see cref="IBackend.ReadPage"/> gave them, the part of an open page that isn't filled included.</param>
public readonly record struct KvPage(KvPageId Id, ReadOnlyMemory<byte> Bytes);

/// <summary>The cache of an idle sequence in host memory, or what of it changed since it was saved last.</summary>
/// <param name="Shape">Which tokens and pages there are.</param>
/// <param name="Pages">Pages of the shape: all of them to bring a sequence back, those not saved yet after an export.</param>
/// <param name="Selection">What <see cref="SelectionState.CopyTo"/> wrote; empty for a dense sequence.</param>
public sealed record KvSnapshot(KvShape Shape, IReadOnlyList<KvPage> Pages, ReadOnlyMemory<byte> Selection);
