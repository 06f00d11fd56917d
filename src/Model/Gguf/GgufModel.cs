namespace LServe.Model;

/// <summary>A model from a GGUF file.</summary>
internal static class GgufModel
{
    public static ModelFile Open(string path)
    {
        var file = MappedFile.Open(path);
        try
        {
            var gguf = GgufFile.Read(file);
            var config = GgufConfig.Read(gguf, Path.GetFileNameWithoutExtension(path));
            var weights = new WeightsLoader(gguf.Tensors, TensorNames.Gguf, config).Load(tied: null);
            var tokenizer = GgufTokenizer.Read(gguf.Metadata);
            var template = ChatTemplates.Find(gguf.Metadata.OptionalText("tokenizer.chat_template"), tokenizer, out var problem);
            return new ModelFile(path, [path], config, weights, tokenizer, template, problem, file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }
}
