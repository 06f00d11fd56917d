namespace LServe.Model;

/// <summary>Largest geometry that is believed; a file that says more is damaged or hostile.</summary>
internal static class ModelLimits
{
    public const int MaxLayers = 1024;
    public const int MaxHeads = 1024;

    /// <summary>Channels.</summary>
    public const int MaxHeadDim = 1024;

    /// <summary>Channels of the hidden state and of the feed-forward layer.</summary>
    public const int MaxWidth = 1 << 20;

    /// <summary>Tokens.</summary>
    public const int MaxVocabulary = 1 << 20;

    /// <summary>Bytes of all tokens together.</summary>
    public const int MaxVocabularyBytes = 64 << 20;

    /// <summary>Pairs of tokens that merge.</summary>
    public const int MaxMerges = 4 << 20;

    /// <summary>Characters of a chat template.</summary>
    public const int MaxTemplateLength = 1 << 20;

    /// <summary>Tokens.</summary>
    public const int MaxContext = 1 << 24;
}
