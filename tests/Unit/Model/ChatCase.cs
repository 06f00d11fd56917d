using System.Text.Json;
using LServe.Model;
using LServe.Tests.Support;

namespace LServe.Tests.Unit.Model;

/// <summary>Conversations with what the original template makes of them, or its refusal.</summary>
internal static class ChatCase
{
    public static ChatTurn[] Turns(JsonElement messages) =>
        [.. messages.EnumerateArray().Select(m => new ChatTurn(m.GetProperty("role").GetString()!, m.GetProperty("content").GetString()!))];

    public static void CheckAll(ChatTemplate template, string file)
    {
        foreach (var c in JsonDocument.Parse(File.ReadAllText(RepositoryFiles.Reference("tokenizers", file))).RootElement.EnumerateArray())
        {
            var generationPrompt = !c.TryGetProperty("add_generation_prompt", out var add) || add.GetBoolean();
            var turns = Turns(c.GetProperty("messages"));
            if (c.TryGetProperty("refused", out _)) Assert.Throws<ChatTemplateException>(() => template.Render(turns, generationPrompt));
            else Assert.Equal(c.GetProperty("rendered").GetString(), Text(template.Render(turns, generationPrompt)));
        }
    }

    public static string Text(IReadOnlyList<TemplateSegment> segments) => string.Concat(segments.Select(s => s.Text));
}
