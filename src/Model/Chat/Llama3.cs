namespace LServe.Model;

/// <summary>Llama 3 and 3.1: every message under a header with its role, trimmed, in any order of roles.</summary>
/// <param name="begin">Begin token, written once.</param>
/// <param name="preamble">What the system message always starts with (Llama 3.1); null: only what the conversation has.</param>
/// <param name="alwaysPrompts">Whether the template writes the generation prompt unasked.</param>
internal sealed class Llama3(string begin, string? preamble, bool alwaysPrompts) : ChatTemplate
{
    /// <summary>The date is the one that the published template has built in, so that a conversation reads the same on every day.</summary>
    public const string KnowledgePreamble = "Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n";

    public override string Name => preamble is null ? "Llama 3" : "Llama 3.1";

    public override IReadOnlyList<TemplateSegment> Render(IReadOnlyList<ChatTurn> turns, bool generationPrompt)
    {
        var output = new SegmentWriter().Markup(begin);
        if (preamble is not null)
        {
            var hasSystem = turns.Count > 0 && turns[0].Role == "system";
            output.Markup($"<|start_header_id|>system<|end_header_id|>\n\n{preamble}");
            if (hasSystem) output.Content(turns[0].Content.Trim());
            output.Markup("<|eot_id|>");
            if (hasSystem) turns = [.. turns.Skip(1)];
        }
        return Write(output, turns, generationPrompt || alwaysPrompts);
    }

    public override IReadOnlyList<TemplateSegment> RenderContinuation(IReadOnlyList<string> before, IReadOnlyList<ChatTurn> turns) =>
        Write(new SegmentWriter().Markup("<|eot_id|>"), turns, generationPrompt: true);

    private static IReadOnlyList<TemplateSegment> Write(SegmentWriter output, IReadOnlyList<ChatTurn> turns, bool generationPrompt)
    {
        foreach (var turn in turns)
            output.Markup("<|start_header_id|>").Content(turn.Role).Markup("<|end_header_id|>\n\n")
                .Content(turn.Content.Trim()).Markup("<|eot_id|>");
        if (generationPrompt) output.Markup("<|start_header_id|>assistant<|end_header_id|>\n\n");
        return output.Segments;
    }
}
