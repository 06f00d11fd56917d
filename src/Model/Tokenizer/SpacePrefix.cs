namespace LServe.Model;

/// <summary>When SentencePiece encodes a text as if it began with a space.</summary>
internal enum SpacePrefix
{
    None,

    /// <summary>Only where nothing stands before it, not after a special token.</summary>
    FirstText,

    /// <summary>Every text, also between special tokens.</summary>
    EveryText,
}
