using System.Buffers;

namespace LServe.Model;

/// <summary>Knows chat templates by what is characteristic in them. Templates are programs; none is run.</summary>
internal static class ChatTemplates
{
    private const string SystemStart = "<|im_start|>system\n";
    private static readonly SearchValues<char> EndOfLiteral = SearchValues.Create("'\"{}<");

    public static string KnownNames => "ChatML";

    /// <param name="problem">Why there is none, or null.</param>
    public static ChatTemplate? Find(string? template, TokenizerBase tokenizer, out string? problem)
    {
        problem = null;
        if (template is null) problem = "The model has no chat template; it serves raw completions.";
        else if (template.Length > ModelLimits.MaxTemplateLength || !IsChatMl(template)) problem = $"The model's chat template is not one of those known ({KnownNames}); it serves raw completions.";
        else if (tokenizer.Specials.Find("<|im_start|>") is null || tokenizer.Specials.Find("<|im_end|>") is null)
            problem = "The model's chat template writes <|im_start|> and <|im_end|>, which its vocabulary doesn't have as special tokens; it serves raw completions.";
        return problem is null ? new ChatMl(DefaultSystem(template!)) : null;
    }

    /// <summary>Plain ChatML: one line for all messages. Templates that also write tool calls or thoughts are others.</summary>
    private static bool IsChatMl(string template) =>
        template.Contains("<|im_start|>") && template.Contains("<|im_end|>") && !template.Contains("tool_call") && !template.Contains("<think>");

    /// <summary>The system message that the template writes when the conversation has none.</summary>
    private static string? DefaultSystem(string template)
    {
        var rest = template.Replace("\\n", "\n").AsSpan();
        for (var start = rest.IndexOf(SystemStart); start >= 0; start = rest.IndexOf(SystemStart))
        {
            rest = rest[(start + SystemStart.Length)..];
            var end = rest.IndexOfAny(EndOfLiteral);
            if (end >= 0 && rest[end..].StartsWith("<|im_end|>")) return rest[..end].ToString();
        }
        return null;
    }
}
