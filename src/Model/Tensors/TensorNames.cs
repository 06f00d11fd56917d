namespace LServe.Model;

/// <summary>
/// What a file format calls the tensors of a decoder. Layer names follow <see cref="LayerPrefix"/> and the layer's number.
/// </summary>
internal sealed record TensorNames
{
    public required string LayerPrefix { get; init; }
    public required string Embedding { get; init; }
    public required string OutputNorm { get; init; }
    public required string Output { get; init; }
    public required string AttentionNorm { get; init; }
    public required string FeedForwardNorm { get; init; }
    public required string Query { get; init; }
    public required string Key { get; init; }
    public required string Value { get; init; }
    public required string AttentionOutput { get; init; }
    public required string Gate { get; init; }
    public required string Up { get; init; }
    public required string Down { get; init; }
    public required string QueryNorm { get; init; }
    public required string KeyNorm { get; init; }

    /// <summary>Tensors that repeat what the configuration says.</summary>
    public required Func<string, bool> IsRedundant { get; init; }

    public static TensorNames Gguf { get; } = new()
    {
        LayerPrefix = "blk.", Embedding = "token_embd", OutputNorm = "output_norm", Output = "output",
        AttentionNorm = "attn_norm", FeedForwardNorm = "ffn_norm", Query = "attn_q", Key = "attn_k", Value = "attn_v",
        AttentionOutput = "attn_output", Gate = "ffn_gate", Up = "ffn_up", Down = "ffn_down",
        QueryNorm = "attn_q_norm", KeyNorm = "attn_k_norm",
        IsRedundant = name => name == GgufRope.FactorsTensor,
    };

    public static TensorNames HuggingFace { get; } = new()
    {
        LayerPrefix = "model.layers.", Embedding = "model.embed_tokens", OutputNorm = "model.norm", Output = "lm_head",
        AttentionNorm = "input_layernorm", FeedForwardNorm = "post_attention_layernorm",
        Query = "self_attn.q_proj", Key = "self_attn.k_proj", Value = "self_attn.v_proj", AttentionOutput = "self_attn.o_proj",
        Gate = "mlp.gate_proj", Up = "mlp.up_proj", Down = "mlp.down_proj", QueryNorm = "self_attn.q_norm", KeyNorm = "self_attn.k_norm",
        IsRedundant = name => name.EndsWith("rotary_emb.inv_freq"),
    };
}
