namespace LServe.Model;

/// <summary>What a token is for. Values are GGUF's.</summary>
internal enum TokenKind : byte
{
    Normal = 1,

    /// <summary>Stands for text that the vocabulary has no piece for.</summary>
    Unknown = 2,

    /// <summary>Markup; it is no text of an answer.</summary>
    Control = 3,

    /// <summary>Spelled out in text like markup, but part of answers.</summary>
    UserDefined = 4,
    Unused = 5,

    /// <summary>One byte, for text that the vocabulary has no piece for.</summary>
    Byte = 6,
}
