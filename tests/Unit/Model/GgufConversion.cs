using LServe.Model;
using LServe.Tests.Support;

namespace LServe.Tests.Unit.Model;

/// <summary>
/// Writes an open model as GGUF, the way conversion tools do: Llama's queries and keys with rotated channels side by side, others as they
/// are.
/// </summary>
internal static class GgufConversion
{
    /// <param name="addScaling">Adds what describes the scaling of positions.</param>
    public static byte[] Convert(ModelFile model, Action<GgufWriter, ModelConfig> addScaling)
    {
        var (config, weights, writer) = (model.Config, model.Weights, new GgufWriter());
        AddGeometry(writer, config);
        addScaling(writer, config);
        Add(writer, "token_embd.weight", weights.Embedding);
        for (var i = 0; i < config.Layers; i++) AddLayer(writer, config, weights.Layers[i], $"blk.{i}.");
        Add(writer, "output_norm.weight", weights.OutputNorm);
        if (!ReferenceEquals(weights.Output, weights.Embedding)) Add(writer, "output.weight", weights.Output);
        return writer.ToArray();
    }

    private static void AddGeometry(GgufWriter writer, ModelConfig config)
    {
        var prefix = config.Architecture + ".";
        writer.Add("general.architecture", config.Architecture)
            .Add(prefix + "block_count", (uint)config.Layers)
            .Add(prefix + "context_length", (uint)config.ContextLength)
            .Add(prefix + "embedding_length", (uint)config.HiddenSize)
            .Add(prefix + "feed_forward_length", (uint)config.FeedForwardSize)
            .Add(prefix + "attention.head_count", (uint)config.QueryHeads)
            .Add(prefix + "attention.head_count_kv", (uint)config.KvHeads)
            .Add(prefix + "attention.key_length", (uint)config.HeadDim)
            .Add(prefix + "attention.value_length", (uint)config.HeadDim)
            .Add(prefix + "attention.layer_norm_rms_epsilon", config.RmsEpsilon)
            .Add("tokenizer.ggml.model", "gpt2").Add("tokenizer.ggml.pre", "qwen2")
            .Add("tokenizer.ggml.tokens", TinyTokenizer.Pieces).Add("tokenizer.ggml.token_type", TinyTokenizer.Types)
            .Add("tokenizer.ggml.merges", TinyTokenizer.Merges);
    }

    private static void AddLayer(GgufWriter writer, ModelConfig config, LayerWeights layer, string name)
    {
        var sideBySide = config.Architecture == "llama" ? config.HeadDim : 0;
        Add(writer, name + "attn_norm.weight", layer.AttentionNorm);
        Add(writer, name + "attn_q.weight", layer.Query, sideBySide);
        Add(writer, name + "attn_k.weight", layer.Key, sideBySide);
        Add(writer, name + "attn_v.weight", layer.Value);
        Add(writer, name + "attn_output.weight", layer.AttentionOutput);
        Add(writer, name + "ffn_norm.weight", layer.FeedForwardNorm);
        Add(writer, name + "ffn_gate.weight", layer.Gate);
        Add(writer, name + "ffn_up.weight", layer.Up);
        Add(writer, name + "ffn_down.weight", layer.Down);
        Add(writer, name + "attn_q.bias", layer.QueryBias);
        Add(writer, name + "attn_k.bias", layer.KeyBias);
        Add(writer, name + "attn_v.bias", layer.ValueBias);
        Add(writer, name + "attn_q_norm.weight", layer.QueryNorm);
        Add(writer, name + "attn_k_norm.weight", layer.KeyNorm);
    }

    private static unsafe void Add(GgufWriter writer, string name, Tensor? tensor, int headDim = 0)
    {
        if (tensor is null) return;
        var data = new ReadOnlySpan<byte>(tensor.Address, (int)tensor.ByteLength).ToArray();
        if (headDim > 0)
            for (var row = 0; row < tensor.Rows; row++)
                tensor.Row(row).CopyTo(data.AsSpan(SideBySide(row, headDim) * (int)tensor.RowBytes));
        ulong[] shape = tensor.Rows == 1 ? [(ulong)tensor.Columns] : [(ulong)tensor.Columns, (ulong)tensor.Rows];
        writer.AddTensor(name, (uint)tensor.Type, shape, data);
    }

    /// <summary>Channel i goes to 2i, channel i + D/2 to 2i + 1.</summary>
    private static int SideBySide(int row, int headDim)
    {
        var (head, channel, half) = (row / headDim, row % headDim, headDim / 2);
        return head * headDim + (channel < half ? 2 * channel : 2 * (channel - half) + 1);
    }
}
