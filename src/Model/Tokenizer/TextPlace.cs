namespace LServe.Model;

/// <summary>What stands before a stretch of ordinary text.</summary>
internal enum TextPlace
{
    /// <summary>Nothing.</summary>
    First,

    /// <summary>A special token.</summary>
    AfterSpecial,

    /// <summary>Text that is tokens already.</summary>
    Continuation,
}
