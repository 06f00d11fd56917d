namespace LServe.Model;

/// <summary>The order of roles that Llama 2 and Mistral insist on: a system message or none, then user and assistant in turn.</summary>
internal static class Alternation
{
    /// <exception cref="ChatTemplateException">The roles don't alternate.</exception>
    public static void Check(IEnumerable<string> roles)
    {
        var expectsUser = true;
        var isFirst = true;
        foreach (var role in roles)
        {
            var isSystem = isFirst && role == "system";
            isFirst = false;
            if (isSystem) continue;
            if (role != (expectsUser ? "user" : "assistant"))
                throw new ChatTemplateException(
                    "Conversation roles must alternate user/assistant/user/assistant/…, after at most one system message.");
            expectsUser = !expectsUser;
        }
    }
}
