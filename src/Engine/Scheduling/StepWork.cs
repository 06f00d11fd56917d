namespace LServe.Inference;

/// <summary>What one generation does in a step.</summary>
/// <param name="Kind">Which kernels compute it.</param>
/// <param name="RecordAs">What is noted for a later replay: differs from <paramref name="Kind"/> where a replay runs as prefill.</param>
/// <param name="Count">Rows from the sequence's cached length on.</param>
/// <param name="WantsLogits">Whether the last row is the last known token, so that a new one is drawn.</param>
/// <param name="RunStart">Position the run of its kind began at: of decode steps, the end of their prompt.</param>
public readonly record struct StepWork(Generation Generation, SliceKind Kind, SliceKind RecordAs, int Count, bool WantsLogits, int RunStart);
