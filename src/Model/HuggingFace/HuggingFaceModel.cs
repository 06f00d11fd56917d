namespace LServe.Model;

/// <summary>A model from a folder as Hugging Face's libraries write it.</summary>
internal static class HuggingFaceModel
{
    private const int MaxConfigBytes = 1 << 20, MaxTokenizerBytes = 48 << 20, MaxTokenizerConfigBytes = 4 << 20;
    private const string Config = "config.json", GenerationConfig = "generation_config.json", Tokenizer = "tokenizer.json";
    private const string TokenizerConfig = "tokenizer_config.json", TemplateFile = "chat_template.jinja";

    public static ModelFile Open(string folder)
    {
        using var config = JsonFile.Read(Path.Combine(folder, Config), MaxConfigBytes);
        var geometry = HuggingFaceConfig.Read(config.Root, NameOf(folder));
        using var tokenizerConfig = JsonFile.ReadOptional(Path.Combine(folder, TokenizerConfig), MaxTokenizerConfigBytes);
        var tokenizer = ReadTokenizer(folder, config.Root, tokenizerConfig?.Root, geometry.VocabularySize);
        var template = ChatTemplates.Find(Template(folder, tokenizerConfig?.Root), tokenizer, out var problem);
        var weights = SafetensorsFolder.Open(folder);
        try
        {
            var tied = HuggingFaceConfig.IsTied(config.Root);
            var tensors = new WeightsLoader(weights, TensorNames.HuggingFace, geometry).Load(tied);
            return new ModelFile(folder, ContentFiles(folder, weights), geometry, tensors, tokenizer, template, problem, weights);
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    private static string NameOf(string folder) => Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));

    private static string[] ContentFiles(string folder, SafetensorsFolder weights)
    {
        string[] names = [Config, GenerationConfig, Tokenizer, TokenizerConfig, TemplateFile];
        return [.. names.Select(name => Path.Combine(folder, name)).Where(File.Exists), .. weights.Files];
    }

    private static TokenizerBase ReadTokenizer(string folder, JsonField config, JsonField? tokenizerConfig, int vocabularySize)
    {
        using var generation = JsonFile.ReadOptional(Path.Combine(folder, GenerationConfig), MaxConfigBytes);
        var ends = EndTokenIds(config, vocabularySize).Concat(generation is null ? [] : EndTokenIds(generation.Root, vocabularySize));
        var addsBegin = tokenizerConfig?.Optional("add_bos_token")?.Flag() ?? false;
        var begin = addsBegin ? config.Optional("bos_token_id")?.Int(0, vocabularySize - 1) : null;
        using var tokenizer = JsonFile.Read(Path.Combine(folder, Tokenizer), MaxTokenizerBytes);
        return TokenizerJson.Read(tokenizer.Root, vocabularySize, begin, ends.ToArray());
    }

    /// <summary>One token or a list of them.</summary>
    private static IEnumerable<int> EndTokenIds(JsonField config, int vocabularySize)
    {
        if (config.Optional("eos_token_id") is not { } field) return [];
        return (field.IsArray ? field.Items() : [field]).Select(f => f.Int(0, vocabularySize - 1));
    }

    /// <summary>A file of its own in newer folders; else one template or several with names.</summary>
    private static string? Template(string folder, JsonField? tokenizerConfig)
    {
        var file = Path.Combine(folder, TemplateFile);
        if (File.Exists(file) && new FileInfo(file).Length <= ModelLimits.MaxTemplateLength) return File.ReadAllText(file);
        if (tokenizerConfig?.Optional("chat_template") is not { } field) return null;
        if (!field.IsArray) return field.Text();
        return field.Items().Where(t => t.Required("name").Text() == "default").Select(t => t.Required("template").Text()).FirstOrDefault();
    }
}
