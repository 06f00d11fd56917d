namespace LServe.Inference;

/// <summary>How the keys and values of a stretch of tokens were computed; a replay does it the same way (see Exactness in ARCHITECTURE).</summary>
/// <param name="End">Position after the last token; the run begins where the one before it ends.</param>
/// <param name="Kind">By prefill (a prompt) or by decode steps (generated).</param>
public readonly record struct TokenRun(int End, SliceKind Kind);
