namespace LServe.Model;

/// <summary>An open model: geometry, weights (memory-mapped), tokenizer and chat template.</summary>
public sealed class ModelFile : IDisposable
{
    private readonly IDisposable _mapping;

    internal ModelFile(
        string path, ModelConfig config, ModelWeights weights, ITokenizer tokenizer, ChatTemplate? template, string? templateProblem, IDisposable mapping)
    {
        (Path, Config, Weights, Tokenizer, Template, TemplateProblem, _mapping) = (path, config, weights, tokenizer, template, templateProblem, mapping);
    }

    public string Path { get; }
    public ModelConfig Config { get; }
    public ModelWeights Weights { get; }
    public ITokenizer Tokenizer { get; }

    /// <summary>Null when the model has no template or one this project doesn't know; it still serves raw completions.</summary>
    public ChatTemplate? Template { get; }

    /// <summary>Why <see cref="Template"/> is null, for people.</summary>
    public string? TemplateProblem { get; }

    /// <summary>Opens a GGUF file.</summary>
    /// <exception cref="ModelFileException">The file is missing, damaged, or of a kind that isn't supported.</exception>
    public static ModelFile Open(string path) => throw new NotImplementedException(path);

    public void Dispose() => _mapping.Dispose();
}
