namespace LServe.Model;

/// <summary>How Qwen's templates write results of tools: neighbouring ones share a user message.</summary>
internal static class QwenTools
{
    public static void WriteResult(SegmentWriter output, IReadOnlyList<ChatTurn> turns, int index)
    {
        if (index == 0 || turns[index - 1].Role != "tool") output.Markup("<|im_start|>user");
        output.Markup("\n<tool_response>\n").Content(turns[index].Content).Markup("\n</tool_response>");
        if (index == turns.Count - 1 || turns[index + 1].Role != "tool") output.Markup("<|im_end|>\n");
    }

    public static ChatTemplateException UnknownRole(string role) =>
        new($"The role {role} is not known; system, user, assistant and tool are.");
}
