namespace LServe.Model;

/// <summary>How a byte-level vocabulary cuts text into words.</summary>
/// <param name="WholeWordsFirst">A word that is a token of its own is not built from merges.</param>
/// <param name="IsComposed">Text is brought to normal form C first.</param>
/// <param name="AddsBegin">Whether the model's raw prompts start with the begin token unless its file says otherwise.</param>
internal sealed record PreTokenization(
    IPreTokenizer PreTokenizer, bool WholeWordsFirst = false, bool IsComposed = false, bool AddsBegin = false);

internal static class PreTokenizers
{
    private static readonly Dictionary<string, Func<PreTokenization>> ByGgufName = new()
    {
        ["gpt-2"] = () => new(new Gpt2PreTokenizer(digitsApart: false)),
        ["smollm"] = () => new(new Gpt2PreTokenizer(digitsApart: true)),
        ["llama-bpe"] = Llama3,
        ["llama3"] = Llama3,
        ["llama-v3"] = Llama3,
        ["qwen2"] = Qwen2,
        ["deepseek-r1-qwen"] = Qwen2,
    };

    public static string GgufNames => string.Join(", ", ByGgufName.Keys);

    public static PreTokenization? FindByGgufName(string name) => ByGgufName.TryGetValue(name, out var make) ? make() : null;

    private static PreTokenization Llama3() => new(new Llama3PreTokenizer(maxDigits: 3), WholeWordsFirst: true, AddsBegin: true);

    private static PreTokenization Qwen2() => new(new Llama3PreTokenizer(maxDigits: 1), IsComposed: true);
}
