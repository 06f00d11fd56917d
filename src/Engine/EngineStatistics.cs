namespace LServe.Inference;

/// <summary>What the engine is doing; counters since start.</summary>
/// <param name="Running">Generations with a place in the steps.</param>
/// <param name="Waiting">Generations without one yet.</param>
/// <param name="PromptTokens">Rows computed by prefill.</param>
/// <param name="GeneratedTokens">Tokens drawn.</param>
/// <param name="Preemptions">Generations whose pages were taken and that had to be computed again.</param>
/// <param name="LastBatch">Rows of the last step.</param>
/// <param name="Pages">Pages read and held in decode steps.</param>
public readonly record struct EngineStatistics(
    int Running, int Waiting, int PagesUsed, int PagesTotal, long PromptTokens, long GeneratedTokens, long Steps, long Preemptions, int LastBatch,
    PageReads Pages)
{
    /// <summary>Pages of the streaming pool in use; <see cref="PagesUsed"/> are the retrieval pool's.</summary>
    public int StreamingPagesUsed { get; init; }

    /// <summary>Retrieval pages of generations, waiting or running; those of idle sequences go when somebody needs them.</summary>
    public int PagesBusy { get; init; }

    /// <summary>The same of the streaming pool.</summary>
    public int StreamingPagesBusy { get; init; }

    /// <summary>Tokens of prompts, and of answers that lost their pages, that are still to be computed, of all generations.</summary>
    public long QueuedTokens { get; init; }
}
