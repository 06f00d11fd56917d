using System.Text;

namespace LServe.Model;

/// <summary>Knows chat templates by what is characteristic in them. Templates are programs; none is run.</summary>
internal static class ChatTemplates
{
    private static readonly Func<string, Markers, Known?>[] Families =
        [Llama3Family, QwenFamily, ChatMlFamily, Llama2Family, MistralFamily];

    /// <param name="Begin">Spelling of the begin token, empty if there is none.</param>
    /// <param name="End">Spelling of the token that ends an answer.</param>
    private readonly record struct Markers(string Begin, string End);

    /// <param name="Tokens">Special tokens that the template writes and the vocabulary must have.</param>
    private sealed record Known(ChatTemplate Template, params string[] Tokens);

    public static string KnownNames => "ChatML, Llama 2, Llama 3, Llama 3.1, Mistral, Qwen 2.5, Qwen 3";

    /// <param name="problem">Why there is none, or null.</param>
    public static ChatTemplate? Find(string? template, TokenizerBase tokenizer, out string? problem)
    {
        problem = null;
        if (template is null) problem = "The model has no chat template; it serves raw completions.";
        var known = template is null || template.Length > ModelLimits.MaxTemplateLength ? null : Recognise(template, MarkersOf(tokenizer));
        if (template is not null && known is null)
            problem = $"The model's chat template is none of those known ({KnownNames}); it serves raw completions.";
        if (known?.Tokens.FirstOrDefault(t => tokenizer.Specials.Find(t) is null) is { } missing)
            problem = $"The model's chat template writes {missing}, no special token of its vocabulary; it serves raw completions.";
        return problem is null ? known!.Template : null;
    }

    private static Known? Recognise(string template, Markers markers) =>
        Families.Select(family => family(template, markers)).FirstOrDefault(known => known is not null);

    private static Markers MarkersOf(TokenizerBase tokenizer)
    {
        string Spelling(int? token) => token is { } t ? Encoding.UTF8.GetString(tokenizer.BytesOf(t)) : "";
        return new(Spelling(tokenizer.BeginToken ?? tokenizer.Specials.Find("<|begin_of_text|>") ?? tokenizer.Specials.Find("<s>")),
            Spelling(tokenizer.EndTokens.Count > 0 ? tokenizer.EndTokens[0] : null));
    }

    private static Known? Llama3Family(string template, Markers markers)
    {
        if (!template.Contains("<|start_header_id|>") || !template.Contains("<|eot_id|>")) return null;
        var always = !template.Contains("add_generation_prompt");
        var preamble = template.Contains("Cutting Knowledge Date: December 2023") && template.Contains("26 Jul 2024")
            ? Llama3.KnowledgePreamble
            : null;
        if (preamble is null && template.Contains("Cutting Knowledge Date")) return null; // a date of its own
        return new(new Llama3(markers.Begin, preamble, always), "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>");
    }

    private static Known? QwenFamily(string template, Markers markers)
    {
        if (!template.Contains("<|im_start|>") || !template.Contains("<tool_response>")) return null;
        if (!template.Contains("<think>")) return new(new Qwen2(ChatMlText.DefaultSystem(template)), "<|im_start|>", "<|im_end|>");
        var thinksUnasked = template.Contains("assistant\\n<think>\\n'");
        var isQwen3 = template.Contains("enable_thinking") && template.Contains("reasoning_content") && !thinksUnasked;
        return isQwen3 ? new(new Qwen3(), "<|im_start|>", "<|im_end|>") : null;
    }

    /// <summary>One line for all messages; templates that also write tool calls or thoughts are others.</summary>
    private static Known? ChatMlFamily(string template, Markers markers)
    {
        string[] others = ["tool_call", "<think>", "raise_exception"];
        if (!template.Contains("<|im_start|>") || !template.Contains("<|im_end|>") || others.Any(template.Contains)) return null;
        return new(new ChatMl(ChatMlText.DefaultSystem(template)), "<|im_start|>", "<|im_end|>");
    }

    private static Known? Llama2Family(string template, Markers markers) =>
        template.Contains("[INST]") && template.Contains("<<SYS>>")
            ? new(new Llama2(markers.Begin, markers.End), markers.Begin, markers.End)
            : null;

    private static Known? MistralFamily(string template, Markers markers) =>
        MistralStyle.Recognise(template) is { } style
            ? new(new Mistral(markers.Begin, markers.End, style), markers.Begin, markers.End)
            : null;
}
