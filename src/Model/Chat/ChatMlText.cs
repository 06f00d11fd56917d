using System.Buffers;

namespace LServe.Model;

/// <summary>What templates of the ChatML family say literally.</summary>
internal static class ChatMlText
{
    private const string SystemStart = "<|im_start|>system\n";
    private static readonly SearchValues<char> EndOfLiteral = SearchValues.Create("'\"{}<");

    /// <summary>The system message that the template writes when the conversation has none, or null.</summary>
    public static string? DefaultSystem(string template)
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

    public static SegmentWriter Message(this SegmentWriter output, string role, string content) =>
        output.Markup("<|im_start|>").Content(role).Markup("\n").Content(content).Markup("<|im_end|>\n");
}
