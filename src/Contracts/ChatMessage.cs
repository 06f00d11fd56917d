namespace LServe.Contracts;

/// <summary>One message of a conversation as clients send and see it.</summary>
/// <param name="Role"><c>system</c>, <c>user</c> or <c>assistant</c>.</param>
/// <param name="Content">The text, exactly as sent; never interpreted as markup of a chat template.</param>
public sealed record ChatMessage(string Role, string Content)
{
    public const string System = "system";
    public const string User = "user";
    public const string Assistant = "assistant";
}
