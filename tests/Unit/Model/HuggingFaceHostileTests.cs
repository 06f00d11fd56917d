using System.Buffers.Binary;
using System.Text;
using LServe.Model;

namespace LServe.Tests.Unit.Model;

public class HuggingFaceHostileTests
{
    private const string Weights = "model.safetensors", Shard = "model-00001-of-00002.safetensors", Index = "model.safetensors.index.json";
    private const long MaxAllocatedBytes = 48 << 20;

    [Theory]
    [InlineData("\"hidden_size\": 64", "\"hidden_size\": \"64\"", "hidden_size")]
    [InlineData("\"hidden_size\": 64", "\"hidden_size\": 64.5", "hidden_size")]
    [InlineData("\"hidden_size\": 64", "\"hidden_sizes\": 64", "hidden_size")]
    [InlineData("\"hidden_size\": 64", "\"hidden_size\": 4294967296", "hidden_size")]
    [InlineData("\"hidden_size\": 64", "\"hidden_size\": null", "hidden_size")]
    [InlineData("\"head_dim\": 16", "\"head_dim\": 15", "head_dim")]
    [InlineData("\"num_hidden_layers\": 3", "\"num_hidden_layers\": 0", "num_hidden_layers")]
    [InlineData("\"num_hidden_layers\": 3", "\"num_hidden_layers\": 4", "tensor model.layers.3.input_layernorm.weight")]
    [InlineData("\"num_hidden_layers\": 3", "\"num_hidden_layers\": 2", "tensor model.layers.2")]
    [InlineData("\"num_key_value_heads\": 2", "\"num_key_value_heads\": 3", "num_key_value_heads")]
    [InlineData("\"intermediate_size\": 160", "\"intermediate_size\": 161", "mlp.gate_proj.weight")]
    [InlineData("\"vocab_size\": 288", "\"vocab_size\": 287", "model.vocab")]
    [InlineData("\"vocab_size\": 288", "\"vocab_size\": 289", "model.embed_tokens.weight")]
    [InlineData("\"rms_norm_eps\": 1e-05", "\"rms_norm_eps\": -1", "rms_norm_eps")]
    [InlineData("\"model_type\": \"llama\"", "\"model_type\": \"phi\"", "model_type")]
    [InlineData("\"hidden_act\": \"silu\"", "\"hidden_act\": \"gelu\"", "hidden_act")]
    [InlineData("\"eos_token_id\": 2", "\"eos_token_id\": [2, 288]", "eos_token_id[1]")]
    [InlineData("\"tie_word_embeddings\": false", "\"tie_word_embeddings\": \"no\"", "tie_word_embeddings")]
    [InlineData("\"rope_theta\": 10000.0", "\"rope_theta\": 0", "rope_theta")]
    [InlineData("\"rope_theta\": 10000.0", "\"rope_theta\": 10000.0, \"rope_scaling\": {\"type\": \"dynamic\", \"factor\": 2}", "rope_scaling.type")]
    [InlineData("\"rope_theta\": 10000.0", "\"rope_theta\": 10000.0, \"rope_scaling\": {\"rope_type\": \"linear\"}", "rope_scaling.factor")]
    [InlineData("\"rope_theta\": 10000.0", "\"rope_theta\": 10000.0, \"rope_scaling\": {\"rope_type\": \"linear\", \"factor\": 1e-320}", "rope_scaling")]
    [InlineData("\"rope_theta\": 10000.0", "\"rope_theta\": 10000.0, \"rope_parameters\": {\"rope_theta\": 5}", "rope_theta")]
    [InlineData("\"rope_theta\": 10000.0", "\"rope_theta\": 10000.0, \"rope_parameters\": {\"rope_type\": \"yarn\"}, \"rope_scaling\": {\"type\": \"linear\"}", "rope_scaling")]
    [InlineData("{", "[", "JSON")]
    public void A_wrong_configuration_names_file_and_field(string text, string replacement, string field)
    {
        using var folder = new ModelFolder("llama2");
        folder.Replace("config.json", text, replacement);
        var error = Refusal(folder);
        Assert.Contains(field, error.Field);
        Assert.Contains(folder.Path, error.File);
    }

    [Theory]
    [InlineData("config.json")]
    [InlineData("tokenizer.json")]
    [InlineData(Shard)]
    public void A_missing_file_is_named(string name)
    {
        using var folder = new ModelFolder("llama31");
        File.Delete(folder[name]);
        Assert.Equal(folder[name], Refusal(folder).File);
    }

    [Theory]
    [InlineData("\"model-00001-of-00002.safetensors\"", "\"../model.safetensors\"", "plain file name")]
    [InlineData("\"model-00001-of-00002.safetensors\"", "\"/etc/passwd\"", "plain file name")]
    [InlineData("\"model-00001-of-00002.safetensors\"", "\"model-00003-of-00002.safetensors\"", "does not exist")]
    [InlineData("\"model-00001-of-00002.safetensors\"", "7", "no string")]
    [InlineData("\"weight_map\"", "\"weights\"", "is missing")]
    [InlineData("\"model.norm.weight\"", "\"model.normal.weight\"", "no such tensor")]
    public void A_wrong_index_is_refused(string text, string replacement, string problem)
    {
        using var folder = new ModelFolder("llama31");
        folder.Replace(Index, text, replacement);
        Assert.Contains(problem, Refusal(folder).Message);
    }

    [Theory]
    [InlineData("\"data_offsets\":[0,", "\"data_offsets\":[1,", "bytes of data")]
    [InlineData("\"data_offsets\":[0,", "\"data_offsets\":[-1,", "no offset")]
    [InlineData("\"data_offsets\":[0,", "\"data_offsets\":[99999999999999999999,", "no offset")]
    [InlineData("\"dtype\":\"F32\"", "\"dtype\":\"I64\"", "F32, F16, BF16")]
    [InlineData("\"shape\":[288,64]", "\"shape\":[288,65]", "bytes of data")]
    [InlineData("\"shape\":[288,64]", "\"shape\":[64,288]", "configuration wants")]
    [InlineData("\"shape\":[288,64]", "\"shape\":[2147483647,2147483647,2147483647,2147483647]", "too many rows")]
    [InlineData("\"shape\":[288,64]", "\"shape\":[0,64]", "not within")]
    [InlineData("\"shape\":[288,64]", "\"shape\":[]", "dimensions")]
    public void A_wrong_tensor_description_is_refused(string text, string replacement, string problem)
    {
        using var folder = new ModelFolder("llama2");
        EditHeader(folder[Weights], header => header.Replace(text, replacement));
        Assert.Contains(problem, Refusal(folder).Message);
    }

    [Fact]
    public void Overlapping_tensors_are_refused()
    {
        using var folder = new ModelFolder("llama2");
        EditHeader(folder[Weights], header =>
        {
            var norm = header.IndexOf("\"model.norm.weight\"", StringComparison.Ordinal);
            var offsets = header.IndexOf("\"data_offsets\":[", norm, StringComparison.Ordinal) + "\"data_offsets\":[".Length;
            return header[..offsets] + "0,256" + header[header.IndexOf(']', offsets)..];
        });
        Assert.Contains("overlaps", Refusal(folder).Message);
    }

    [Theory]
    [InlineData(0ul)]
    [InlineData(1ul << 24 | 1)]
    [InlineData(1ul << 60)]
    [InlineData(ulong.MaxValue)]
    public void A_wrong_header_length_is_refused(ulong length)
    {
        using var folder = new ModelFolder("llama2");
        folder.Edit(Weights, bytes => BinaryPrimitives.WriteUInt64LittleEndian(bytes, length));
        Assert.Equal(folder[Weights], Refusal(folder).File);
    }

    [Theory]
    [InlineData("\"type\":\"BPE\"", "\"type\":\"Unigram\"", "model.type")]
    [InlineData("\"merges\":[", "\"merges\":[\"zz zz\",", "model.merges[0]")]
    [InlineData("\"merges\":[", "\"merges\":[[\"a\"],", "model.merges[0]")]
    [InlineData("\"merges\":[", "\"merges\":[7,", "model.merges[0]")]
    [InlineData("\"merges\":[", "\"merged\":[", "model.merges")]
    [InlineData("\"a\":100", "\"a\":101", "model.vocab")]
    [InlineData("\"a\":100", "\"a\":-1", "model.vocab.a")]
    [InlineData("\"a\":100", "\"\\ud800\":100", "model.vocab")]
    [InlineData("\"id\":0", "\"id\":5", "added_tokens[0].id")]
    [InlineData("\"id\":0", "\"id\":1e9", "added_tokens[0].id")]
    [InlineData("\"use_regex\":true", "\"use_regex\":false", "pre_tokenizer")]
    [InlineData("\"normalizer\":null", "\"normalizer\":{\"type\":\"Lowercase\"}", "normalizer")]
    [InlineData("\"pre_tokenizer\":{", "\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[]},\"other\":{", "pre_tokenizer")]
    public void A_wrong_tokenizer_names_the_field(string text, string replacement, string field)
    {
        using var folder = new ModelFolder("llama2");
        folder.Replace("tokenizer.json", text, replacement);
        Assert.StartsWith(field, Refusal(folder).Field);
    }

    [Theory]
    [InlineData("config.json", 300)]
    [InlineData("tokenizer.json", 300)]
    [InlineData(Weights, 400)]
    public void Damaged_files_give_one_kind_of_error_and_no_large_allocation(string name, int mutations)
    {
        using var folder = new ModelFolder("llama2");
        var original = File.ReadAllBytes(folder[name]);
        var header = name == Weights ? 8 + (int)BinaryPrimitives.ReadUInt64LittleEndian(original) : original.Length;
        var mutator = new Mutator(original, header);
        var refused = 0;
        for (var seed = 0; seed < mutations; seed++)
        {
            File.WriteAllBytes(folder[name], mutator.Mutate(seed));
            refused += OpenDamaged(folder, seed) ? 0 : 1;
        }
        Assert.InRange(refused, mutations / 4, mutations);
    }

    private static bool OpenDamaged(ModelFolder folder, int seed)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var opened = false;
        try
        {
            using var model = ModelFile.Open(folder.Path);
            opened = true;
            _ = model.Tokenizer.Decode(model.Tokenizer.Encode("hello </s> wörld 12", parseSpecial: true));
        }
        catch (ModelFileException)
        {
        }
        catch (Exception e)
        {
            Assert.Fail($"seed {seed}: {e}");
        }
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(allocated < MaxAllocatedBytes, $"seed {seed}: {allocated} bytes allocated");
        return opened;
    }

    private static ModelFileException Refusal(ModelFolder folder) =>
        Assert.Throws<ModelFileException>(() => ModelFile.Open(folder.Path).Dispose());

    private static void EditHeader(string path, Func<string, string> edit)
    {
        var bytes = File.ReadAllBytes(path);
        var length = (int)BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        var before = Encoding.UTF8.GetString(bytes, 8, length);
        var header = Encoding.UTF8.GetBytes(edit(before));
        Assert.NotEqual(before, Encoding.UTF8.GetString(header));
        var start = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(start, header.Length);
        File.WriteAllBytes(path, [.. start, .. header, .. bytes.AsSpan(8 + length)]);
    }
}
