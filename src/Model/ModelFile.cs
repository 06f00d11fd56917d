using System.Security.Cryptography;

namespace LServe.Model;

/// <summary>An open model: geometry, weights (memory-mapped), tokenizer and chat template.</summary>
public sealed class ModelFile : IDisposable
{
    private readonly IReadOnlyList<string> _files;
    private readonly IDisposable _mapping;

    /// <param name="files">What <see cref="ComputeContentHash"/> covers, in a fixed order.</param>
    internal ModelFile(
        string path, IReadOnlyList<string> files, ModelConfig config, ModelWeights weights, ITokenizer tokenizer, ChatTemplate? template,
        string? templateProblem, IDisposable mapping)
    {
        (Path, _files, Config, Weights, Tokenizer) = (path, files, config, weights, tokenizer);
        (Template, TemplateProblem, _mapping) = (template, templateProblem, mapping);
    }

    public string Path { get; }
    public ModelConfig Config { get; }
    public ModelWeights Weights { get; }
    public ITokenizer Tokenizer { get; }

    /// <summary>Null when the model has no template or one this project doesn't know; it still serves raw completions.</summary>
    public ChatTemplate? Template { get; }

    /// <summary>Why <see cref="Template"/> is null, for people.</summary>
    public string? TemplateProblem { get; }

    /// <summary>
    /// Opens a GGUF file, or a folder as Hugging Face's libraries write it (<c>config.json</c>, safetensors, <c>tokenizer.json</c>).
    /// </summary>
    /// <exception cref="ModelFileException">A file is missing, damaged, or of a kind that isn't supported.</exception>
    public static ModelFile Open(string path) => Directory.Exists(path) ? HuggingFaceModel.Open(path) : GgufModel.Open(path);

    /// <summary>
    /// The SHA-256 of every byte of the model, 64 lower-case hexadecimal digits: equal means the same model. Reads the whole model;
    /// of a model in several files it is the hash of their hashes.
    /// </summary>
    /// <exception cref="IOException">The file can't be read.</exception>
    public string ComputeContentHash()
    {
        if (_files.Count == 1) return Convert.ToHexStringLower(HashOf(_files[0]));
        return Convert.ToHexStringLower(SHA256.HashData(_files.SelectMany(HashOf).ToArray()));
    }

    public void Dispose() => _mapping.Dispose();

    private static byte[] HashOf(string file)
    {
        using var stream = File.OpenRead(file);
        return SHA256.HashData(stream);
    }
}
