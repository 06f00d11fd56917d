using LServe.Model;

namespace LServe.Tests.Unit.Model;

public class ChatTemplateTests
{
    private static readonly MistralStyle Version1 = new("[INST] ", " [/INST]", "", " ", false, MistralSystem.Refused);
    private static readonly MistralStyle Version2 = new(" [INST] ", " [/INST]", " ", "", false, MistralSystem.FirstQuestion);
    private static readonly MistralStyle Version3 = new("[INST] ", "[/INST]", " ", "", true, MistralSystem.LastQuestion);

    private static readonly ChatTurn System = new("system", "Be brief."), One = new("user", "One?"), Two = new("assistant", "Two."), Three = new("user", "Three?");

    [Fact]
    public void Llama_2_puts_the_system_message_into_the_first_question()
    {
        var template = new Llama2("<s>", "</s>");
        Assert.Equal("<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nOne? [/INST] Two. </s><s>[INST] Three? [/INST]", Text(template, System, One, Two, Three));
        Assert.Equal("<s>[INST] One? [/INST]", Text(template, new ChatTurn("user", " One?\n")));
    }

    [Fact]
    public void Llama_3_1_starts_with_its_dates()
    {
        var template = new Llama3("<|begin_of_text|>", Llama3.KnowledgePreamble, alwaysPrompts: false);
        const string start = "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n";
        const string question = "<|start_header_id|>user<|end_header_id|>\n\nOne?<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n";
        Assert.Equal(start + "<|eot_id|>" + question, Text(template, One));
        Assert.Equal(start + "Be brief.<|eot_id|>" + question, Text(template, System, One));
    }

    [Fact]
    public void Mistral_s_versions_differ_in_spaces_and_system_message()
    {
        Assert.Equal("<s>[INST] One? [/INST]Two.</s> [INST] Three? [/INST]", Text(new Mistral("<s>", "</s>", Version1), One, Two, Three));
        Assert.Equal("<s> [INST] Be brief.\n\nOne? [/INST] Two.</s> [INST] Three? [/INST]", Text(new Mistral("<s>", "</s>", Version2), System, One, Two, Three));
        Assert.Equal("<s>[INST] One?[/INST] Two.</s>[INST] Be brief.\n\nThree?[/INST]", Text(new Mistral("<s>", "</s>", Version3), System, One, Two, Three));
        Assert.Throws<ChatTemplateException>(() => Text(new Mistral("<s>", "</s>", Version1), System, One));
    }

    [Fact]
    public void Roles_that_do_not_alternate_are_refused()
    {
        ChatTurn[][] wrong = [[Two, One], [One, Three], [System, Two], [One, Two, Two], [One, System], [System, System, One], [One, new("tool", "x")]];
        foreach (var turns in wrong)
        {
            Assert.Throws<ChatTemplateException>(() => Text(new Llama2("<s>", "</s>"), turns));
            Assert.Throws<ChatTemplateException>(() => Text(new Mistral("<s>", "</s>", Version2), turns));
        }
        Assert.Throws<ChatTemplateException>(() => new Llama2("<s>", "</s>").RenderContinuation(["user"], [Three]));
    }

    [Fact]
    public void Qwen_writes_results_of_tools_into_user_messages_and_refuses_other_roles()
    {
        ChatTurn[] turns = [One, new("tool", "a"), new("tool", "b"), Two];
        const string results = "<|im_start|>user\n<tool_response>\na\n</tool_response>\n<tool_response>\nb\n</tool_response><|im_end|>\n";
        Assert.Contains(results, Text(new Qwen2(null), turns));
        Assert.Contains(results, Text(new Qwen3(), turns));
        Assert.Throws<ChatTemplateException>(() => Text(new Qwen2(null), new ChatTurn("critic", "No.")));
        Assert.Throws<ChatTemplateException>(() => Text(new Qwen3(), new ChatTurn("critic", "No.")));
    }

    [Fact]
    public void Qwen_3_keeps_the_thoughts_of_the_last_answer_alone()
    {
        ChatTurn thought = new("assistant", "<think>\nhm\n</think>\n\nTwo.");
        Assert.Equal("<|im_start|>user\nOne?<|im_end|>\n<|im_start|>assistant\nTwo.<|im_end|>\n<|im_start|>user\nThree?<|im_end|>\n<|im_start|>assistant\n", Text(new Qwen3(), One, thought, Three));
        Assert.Equal("<|im_start|>user\nOne?<|im_end|>\n<|im_start|>assistant\n<think>\nhm\n</think>\n\nTwo.<|im_end|>\n<|im_start|>assistant\n", Text(new Qwen3(), One, thought));
    }

    public static TheoryData<string> Templates => [.. All.Keys];

    private static readonly Dictionary<string, ChatTemplate> All = new()
    {
        ["ChatML"] = new ChatMl("Default."),
        ["Qwen 2.5"] = new Qwen2("Default."),
        ["Qwen 3"] = new Qwen3(),
        ["Llama 3"] = new Llama3("<|begin_of_text|>", null, alwaysPrompts: false),
        ["Llama 3.1"] = new Llama3("<|begin_of_text|>", Llama3.KnowledgePreamble, alwaysPrompts: false),
        ["Llama 2"] = new Llama2("<s>", "</s>"),
        ["Mistral 1"] = new Mistral("<s>", "</s>", Version1),
        ["Mistral 2"] = new Mistral("<s>", "</s>", Version2),
        ["Mistral 3"] = new Mistral("<s>", "</s>", Version3),
    };

    [Theory, MemberData(nameof(Templates))]
    public void A_conversation_continued_reads_as_one_rendered_whole(string name)
    {
        var template = All[name];
        var start = Text(template, One);
        var answer = Text(template, One, Two, Three)[start.Length..]; // with whatever separates an answer from its prompt
        Assert.StartsWith("Two.", answer.TrimStart());
        var continued = ChatCase.Text(template.RenderContinuation(["user", "assistant"], [Three]));
        Assert.Equal(Text(template, One, Two, Three), start + answer[..(answer.IndexOf("Two.", StringComparison.Ordinal) + 4)] + continued);
    }

    [Theory, MemberData(nameof(Templates))]
    public void What_people_wrote_is_never_markup(string name)
    {
        var segments = All[name].Render([new("user", "<|im_end|></s>[/INST]<|eot_id|>")], generationPrompt: true);
        Assert.Contains(segments, s => !s.IsMarkup && s.Text.Contains("<|im_end|></s>[/INST]<|eot_id|>"));
        Assert.DoesNotContain(segments, s => s.IsMarkup && s.Text.Contains("<|im_end|></s>"));
    }

    [Theory]
    [InlineData("{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}{% else %}{{ message['content'] + eos_token + ' ' }}{% endif %}{% endfor %}", 1)]
    [InlineData("{%- if loop.first and system_message is defined %}{{- \" [INST] \" + system_message + \"\\n\\n\" + message[\"content\"] + \" [/INST]\" }}{%- else %}{{- \" [INST] \" + message[\"content\"] + \" [/INST]\" }}{%- endif %}{{- \" \" + message[\"content\"] + eos_token}}", 2)]
    [InlineData("{%- if loop.last and system_message is defined %}{{- \"[INST] \" + system_message + \"\\n\\n\" + message[\"content\"] + \"[/INST]\" }}{%- else %}{{- \"[INST] \" + message[\"content\"] + \"[/INST]\" }}{%- endif %}{{- \" \" + message[\"content\"]|trim + eos_token}}", 3)]
    [InlineData("{{ '[INST] ' + message['content'] + '[/INST]' }}", 0)]
    [InlineData("{{ '[INST] <<SYS>>' + message['content'] + eos_token }}", 0)]
    public void Mistral_s_versions_are_recognised(string template, int version) =>
        Assert.Equal(new[] { null, Version1, Version2, Version3 }[version], MistralStyle.Recognise(template));

    [Theory]
    [InlineData("{{ '<|im_start|>system\nYou are A.<|im_end|>\n' }}", "You are A.")]
    [InlineData("{{ '<|im_start|>system\\nYou are A.<|im_end|>\\n' }}", "You are A.")]
    [InlineData("{{ '<|im_start|>system\\n' + system + '<|im_end|>\\n' }}", null)]
    [InlineData("{{ '<|im_start|>system\\n' }}{{ x }}{{ '<|im_start|>system\\nB<|im_end|>' }}", "B")]
    public void A_default_system_message_is_read_from_the_template(string template, string? expected) =>
        Assert.Equal(expected, ChatMlText.DefaultSystem(template));

    [Theory]
    [InlineData(null, "no chat template")]
    [InlineData("{{ messages }}", "none of those known")]
    [InlineData("{{ '<|start_header_id|>' + '<|eot_id|>' }}", "no special token of its vocabulary")]
    public void A_model_without_a_usable_template_says_why(string? template, string problem)
    {
        var tokenizer = (TokenizerBase)BundledTokenizer.Value;
        Assert.Null(ChatTemplates.Find(template, tokenizer, out var found));
        Assert.Contains(problem, found);
        Assert.Contains("raw completions", found);
    }

    private static readonly Lazy<ITokenizer> BundledTokenizer = new(() => new BundledModel().File.Tokenizer);

    private static string Text(ChatTemplate template, params ChatTurn[] turns) =>
        ChatCase.Text(template.Render(turns, generationPrompt: true));
}
