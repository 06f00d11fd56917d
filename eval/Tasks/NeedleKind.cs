namespace LServe.Eval;

/// <summary>What a long prompt asks for at its end; after RULER (arXiv 2404.06654), as completions.</summary>
internal enum NeedleKind
{
    /// <summary>One sentence in ordinary text.</summary>
    Single,

    /// <summary>One of four sentences of the same form, each with a key of its own.</summary>
    MultiKey,

    /// <summary>A number set, then handed on twice from name to name.</summary>
    Variables,

    /// <summary>One sentence in a few sentences over and over, at tenths of the depth by turns (Landmark Attention, arXiv 2305.16300).</summary>
    Passkey,

    /// <summary>Four numbers of one key, in sentences apart.</summary>
    MultiValue,

    /// <summary>Four keys, asked for together.</summary>
    MultiQuery,

    /// <summary>The ten words of a list that it has thirty times; others it has three times.</summary>
    CommonWords,

    /// <summary>The three most frequent of words that are drawn by Zipf's law.</summary>
    FrequentWords,
}

/// <summary>What the kinds have in common.</summary>
internal static class NeedleKinds
{
    /// <summary>Answers that a trial has; each one found counts.</summary>
    public static int Answers(this NeedleKind kind) => kind switch
    {
        NeedleKind.MultiValue or NeedleKind.MultiQuery => 4,
        NeedleKind.CommonWords => 10,
        NeedleKind.FrequentWords => 3,
        _ => 1,
    };

    public static bool IsList(this NeedleKind kind) => kind is NeedleKind.CommonWords or NeedleKind.FrequentWords;
}
