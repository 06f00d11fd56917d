namespace LServe.Inference;

/// <summary>How a sequence attends. Fixed by its first turn, since streaming heads forget.</summary>
public enum AttentionMode
{
    /// <summary>Every head reads every token.</summary>
    Dense,

    /// <summary>LServe's unified sparse attention (arXiv 2502.14866).</summary>
    LServe,
}

/// <summary>How retrieval heads choose their pages.</summary>
public enum SelectionPolicy
{
    /// <summary>All of them; streaming heads stream all the same.</summary>
    All,

    /// <summary>By minimum and maximum of each channel, as in the paper (section 3.5; Quest, arXiv 2406.10774).</summary>
    Quest,

    /// <summary>By mean and standard deviation of each channel.</summary>
    Moments,

    /// <summary>Candidates by moments, among them by the high bits of the keys' own codes, anew in every step.</summary>
    TwoStage,

    /// <summary>By the true attention mass of every page: what no selector can beat. For evaluation; reads everything.</summary>
    Oracle,
}

/// <summary>What is kept of every logical page.</summary>
public enum PageStatistics
{
    None,

    /// <summary>Maximum and minimum of each channel.</summary>
    Extremes,

    /// <summary>Mean and population standard deviation of each channel.</summary>
    Moments,
}

/// <summary>LServe's parameters, the same for all sparse sequences of an engine.</summary>
public sealed record LServeOptions
{
    /// <summary>Tokens: longest interval between renewals, a page.</summary>
    public const int MaxRenewal = KvGeometry.PageTokens;

    /// <summary>Tokens: rows of a prompt that choose together. Aligned to absolute positions.</summary>
    public const int QueryBlock = 128;

    /// <summary>Tokens: first ones that streaming heads see. Default 64.</summary>
    public int Sink { get; init; } = 64;

    /// <summary>Tokens: last ones that streaming heads see, the current one among them. Default 1024.</summary>
    public int Local { get; init; } = 1024;

    /// <summary>How retrieval heads choose pages. Default two-stage.</summary>
    public SelectionPolicy Policy { get; init; } = SelectionPolicy.TwoStage;

    /// <summary>Tokens: what a retrieval head reads in a decode step, a multiple of 64. Default 1024.</summary>
    public int Budget { get; init; } = 1024;

    /// <summary>Positions: from one renewal of the choice (two-stage: of its candidates) to the next, 1 to 64. Default 8.</summary>
    public int Renewal { get; init; } = 8;

    /// <summary>Pages: first ones, always read. Default 1.</summary>
    public int SinkPages { get; init; } = 1;

    /// <summary>Pages: last ones, always read. Default 2.</summary>
    public int RecentPages { get; init; } = 2;

    /// <summary>Weight of the standard deviation in a page's score (<c>moments</c>, <c>two-stage</c>). Default 1.</summary>
    public float Deviation { get; init; } = 1;

    /// <summary>Budgets: candidates of <c>two-stage</c>. Default 8: with 4, digits of needles at 7,600 tokens get lost between renewals (docs/EVALUATION.md).</summary>
    public int Candidates { get; init; } = 8;

    /// <summary>Bits: how much of a key's code the second stage of <c>two-stage</c> looks at, 1 to 4. Default 4.</summary>
    public int SketchBits { get; init; } = 4;

    /// <summary>Tokens: position from which on prompts choose pages. Default 8192.</summary>
    public int PrefillThreshold { get; init; } = 8192;

    /// <summary>Tokens: what a prompt's query block reads of the pages complete before it, a multiple of 64. Default 8192.</summary>
    public int PrefillBudget { get; init; } = 8192;

    public PageStatistics Statistics => Policy switch
    {
        SelectionPolicy.All => PageStatistics.None,
        SelectionPolicy.Quest => PageStatistics.Extremes,
        _ => PageStatistics.Moments,
    };

    /// <summary>Pages a retrieval head reads in a decode step.</summary>
    public int BudgetPages => Budget / KvGeometry.PageTokens;

    /// <summary>Pages a retrieval head keeps from one renewal to the next.</summary>
    public int KeptPages => Policy switch
    {
        SelectionPolicy.TwoStage => BudgetPages * Candidates,
        SelectionPolicy.Quest or SelectionPolicy.Moments => BudgetPages,
        _ => 0,
    };

    /// <summary>Whether the step at <paramref name="position"/> renews: a function of positions alone, so that batching, restarts and replays can't change it.</summary>
    public bool MustRenew(int position, int firstAfterPrompt) =>
        position == firstAfterPrompt || position % Renewal == 0 || position % KvGeometry.PageTokens == 0;

    /// <summary>Whether a prompt may be cut before <paramref name="position"/>: past the threshold only where a query block ends.</summary>
    public bool MayCut(int position) => Policy == SelectionPolicy.All || position < PrefillThreshold || position % QueryBlock == 0;
}
