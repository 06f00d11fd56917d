namespace LServe.Model;

/// <summary>
/// What surrounds the BPE model in <c>tokenizer.json</c>: a pipeline of parts, of which the common combinations are known.
/// </summary>
internal static class TokenizerJsonParts
{
    private const string Llama3Words =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    private static readonly string Qwen2Words = Llama3Words.Replace("{1,3}", "");

    public static IPreTokenizer PreTokenization(JsonField root)
    {
        var parts = Parts(root.Required("pre_tokenizer"), "pretokenizers");
        var last = parts[^1];
        if (TypeOf(last) != "ByteLevel") throw last.Problem($"is {TypeOf(last)}; byte-level BPE ends with ByteLevel.");
        if (last.Optional("add_prefix_space")?.Flag() ?? false)
            throw last.Problem("adds a space before the text; only tokenizers that don't work.");
        var cutsWords = last.Optional("use_regex")?.Flag() ?? true;
        return parts switch
        {
            [_] when cutsWords => new Gpt2PreTokenizer(digitsApart: false),
            [var digits, _] when cutsWords && AreDigitsApart(digits) => new Gpt2PreTokenizer(digitsApart: true),
            [var split, _] when !cutsWords => Split(split),
            _ => throw root.Required("pre_tokenizer").Problem("is not known; those of GPT-2, SmolLM, Llama 3 and Qwen 2 work."),
        };
    }

    /// <summary>Whether text is brought to normal form C first.</summary>
    public static bool IsComposed(JsonField root)
    {
        if (root.Optional("normalizer") is not { } normalizer) return false;
        foreach (var part in Parts(normalizer, "normalizers"))
            if (TypeOf(part) != "NFC")
                throw part.Problem($"is {TypeOf(part)}; NFC works, or none.");
        return true;
    }

    /// <summary>When a SentencePiece text gets a space put before it.</summary>
    public static SpacePrefix SpacePrefix(JsonField root)
    {
        if (root.Optional("pre_tokenizer") is { } pre)
        {
            if (TypeOf(pre) != "Metaspace") throw pre.Problem($"is {TypeOf(pre)}; with byte fallback Metaspace works, or none.");
            if (pre.Optional("split")?.Flag() ?? true) throw pre.Problem("splits at spaces; only Metaspace with split = false works.");
            return (pre.Optional("prepend_scheme")?.Text() ?? "always") switch
            {
                "always" => Model.SpacePrefix.EveryText,
                "first" => Model.SpacePrefix.FirstText,
                "never" => Model.SpacePrefix.None,
                var other => throw pre.Problem($"has the prepend_scheme {other}; always, first and never work."),
            };
        }
        return root.Optional("normalizer") is { } normalizer && Parts(normalizer, "normalizers").Any(IsSpacePrepend)
            ? Model.SpacePrefix.EveryText
            : Model.SpacePrefix.None;
    }

    /// <summary>The token that the post-processor puts before a text, or null.</summary>
    public static int? BeginToken(JsonField root, Vocabulary vocabulary)
    {
        if (root.Optional("post_processor") is not { } post) return null;
        var template = Parts(post, "processors").Where(p => TypeOf(p) == "TemplateProcessing").Select(p => (JsonField?)p).FirstOrDefault();
        var first = template?.Optional("single")?.Items().Select(i => (JsonField?)i).FirstOrDefault();
        if (first?.Optional("SpecialToken")?.Required("id") is not { } spelling) return null;
        return new SpecialTokens(vocabulary).Find(spelling.Text())
            ?? throw spelling.Problem($"is {spelling.Text()}, which is no added token.");
    }

    private static bool IsSpacePrepend(JsonField part) => TypeOf(part) switch
    {
        "Prepend" => part.Required("prepend").Text() == "▁" ? true : throw part.Problem("prepends something else than U+2581."),
        "Replace" => false,
        var other => throw part.Problem($"is {other}; with byte fallback Prepend and Replace work."),
    };

    private static bool AreDigitsApart(JsonField part) => TypeOf(part) == "Digits" && (part.Optional("individual_digits")?.Flag() ?? false);

    private static Llama3PreTokenizer Split(JsonField part)
    {
        if (TypeOf(part) != "Split") throw part.Problem($"is {TypeOf(part)}; Split works here.");
        var pattern = part.Required("pattern").Optional("Regex") ?? throw part.Required("pattern").Problem("is no Regex.");
        if (pattern.Text() == Llama3Words) return new Llama3PreTokenizer(maxDigits: 3);
        if (pattern.Text() == Qwen2Words) return new Llama3PreTokenizer(maxDigits: 1);
        throw pattern.Problem("is not known; the patterns of Llama 3 and Qwen 2 work.");
    }

    private static JsonField[] Parts(JsonField part, string children)
    {
        if (TypeOf(part) != "Sequence") return [part];
        var parts = part.Required(children).Items().ToArray();
        return parts.Length > 0 ? parts : throw part.Problem("is an empty Sequence.");
    }

    private static string TypeOf(JsonField part) => part.Required("type").Text();
}
