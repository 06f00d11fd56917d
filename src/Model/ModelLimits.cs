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

    /// <summary>Tokens.</summary>
    public const int MaxContext = 1 << 24;
}
