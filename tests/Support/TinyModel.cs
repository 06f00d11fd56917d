using LServe.Model;

namespace LServe.Tests.Support;

/// <summary>The geometry and the seed of a <see cref="TinyModel"/>.</summary>
public sealed record TinyModelOptions
{
    /// <summary>Equal options give equal files.</summary>
    public int Seed { get; init; } = 1;
    public int Layers { get; init; } = 2;

    /// <summary>Channels; a multiple of the block of <see cref="MatrixType"/> (32, or 256 for the K types and IQ4_XS).</summary>
    public int HiddenSize { get; init; } = 64;
    public int QueryHeads { get; init; } = 4;
    public int KvHeads { get; init; } = 2;

    /// <summary>Channels, under the same condition as <see cref="HiddenSize"/>.</summary>
    public int FeedForwardSize { get; init; } = 160;

    /// <summary>Tokens.</summary>
    public int ContextLength { get; init; } = 512;
    public TensorType MatrixType { get; init; } = TensorType.F32;
    public bool TiedEmbedding { get; init; }

    /// <summary>
    /// False: only printable tokens can be generated, so that answers are readable and never end by themselves. True: any token, half
    /// characters and end tokens among them. A tied embedding implies it.
    /// </summary>
    public bool GeneratesAnyToken { get; init; }
}

/// <summary>
/// A random Llama model of a few hundred kilobytes, as a GGUF file: byte-level BPE with SmolLM's pre-tokenizer and ChatML. It answers
/// nonsense in milliseconds, different for every prompt, and the same every time.
/// </summary>
public static class TinyModel
{
    /// <summary>Writes the file and gives back <paramref name="path"/>.</summary>
    public static string Write(string path, TinyModelOptions? options = null)
    {
        File.WriteAllBytes(path, Bytes(options));
        return path;
    }

    public static byte[] Bytes(TinyModelOptions? options = null)
    {
        options ??= new();
        var writer = new GgufWriter();
        AddGeometry(writer, options);
        AddTokenizer(writer);
        AddTensors(writer, options);
        return writer.ToArray();
    }

    private static void AddGeometry(GgufWriter writer, TinyModelOptions options) => writer
        .Add("general.architecture", "llama")
        .Add("general.name", "Tiny")
        .Add("llama.block_count", (uint)options.Layers)
        .Add("llama.context_length", (uint)options.ContextLength)
        .Add("llama.embedding_length", (uint)options.HiddenSize)
        .Add("llama.feed_forward_length", (uint)options.FeedForwardSize)
        .Add("llama.attention.head_count", (uint)options.QueryHeads)
        .Add("llama.attention.head_count_kv", (uint)options.KvHeads)
        .Add("llama.attention.layer_norm_rms_epsilon", 1e-5f)
        .Add("llama.rope.freq_base", 10_000f)
        .Add("llama.rope.dimension_count", (uint)(options.HiddenSize / options.QueryHeads))
        .Add("llama.vocab_size", (uint)TinyTokenizer.Pieces.Count);

    private static void AddTokenizer(GgufWriter writer) => writer
        .Add("tokenizer.ggml.model", "gpt2")
        .Add("tokenizer.ggml.pre", "smollm")
        .Add("tokenizer.ggml.tokens", TinyTokenizer.Pieces)
        .Add("tokenizer.ggml.token_type", TinyTokenizer.Types)
        .Add("tokenizer.ggml.merges", TinyTokenizer.Merges)
        .Add("tokenizer.ggml.bos_token_id", TinyTokenizer.MessageStart)
        .Add("tokenizer.ggml.eos_token_id", TinyTokenizer.MessageEnd)
        .Add("tokenizer.ggml.add_bos_token", false)
        .Add("tokenizer.chat_template", TinyTokenizer.ChatTemplate);

    private static void AddTensors(GgufWriter writer, TinyModelOptions options)
    {
        var random = new Random(options.Seed);
        int hidden = options.HiddenSize, forward = options.FeedForwardSize, vocabulary = TinyTokenizer.Pieces.Count;
        var keys = hidden / options.QueryHeads * options.KvHeads;

        void Matrix(string name, int rows, int columns) =>
            Add(writer, name, options.MatrixType, rows, columns, RandomTensor.Bytes(random, options.MatrixType, rows, columns, 1.6f / MathF.Sqrt(columns)));
        void Norm(string name) => Add(writer, name, TensorType.F32, 1, hidden, NormBytes(random, hidden));

        Add(writer, "token_embd.weight", options.MatrixType, vocabulary, hidden, RandomTensor.Bytes(random, options.MatrixType, vocabulary, hidden, 1, outliers: false));
        for (var layer = 0; layer < options.Layers; layer++)
        {
            Norm($"blk.{layer}.attn_norm.weight");
            Matrix($"blk.{layer}.attn_q.weight", hidden, hidden);
            Matrix($"blk.{layer}.attn_k.weight", keys, hidden);
            Matrix($"blk.{layer}.attn_v.weight", keys, hidden);
            Matrix($"blk.{layer}.attn_output.weight", hidden, hidden);
            Norm($"blk.{layer}.ffn_norm.weight");
            Matrix($"blk.{layer}.ffn_gate.weight", forward, hidden);
            Matrix($"blk.{layer}.ffn_up.weight", forward, hidden);
            Matrix($"blk.{layer}.ffn_down.weight", hidden, forward);
        }
        Norm("output_norm.weight");
        if (!options.TiedEmbedding)
            Add(writer, "output.weight", options.MatrixType, vocabulary, hidden, OutputBytes(random, options, vocabulary));
    }

    /// <summary>Tokens that are not to be generated have rows of zeros: their logits stay at zero, far below the best.</summary>
    private static byte[] OutputBytes(Random random, TinyModelOptions options, int vocabulary)
    {
        var data = RandomTensor.Bytes(random, options.MatrixType, vocabulary, options.HiddenSize, 1.6f / MathF.Sqrt(options.HiddenSize), outliers: false);
        var rowBytes = data.Length / vocabulary;
        for (var token = 0; token < vocabulary; token++)
            if (!options.GeneratesAnyToken && !TinyTokenizer.IsPrintable(token))
                data.AsSpan(token * rowBytes, rowBytes).Clear();
        return data;
    }

    private static byte[] NormBytes(Random random, int length)
    {
        var data = new byte[4 * length];
        for (var i = 0; i < length; i++) BitConverter.TryWriteBytes(data.AsSpan(4 * i), 1 + 0.3f * RandomTensor.Gaussian(random));
        return data;
    }

    private static void Add(GgufWriter writer, string name, TensorType type, int rows, int columns, byte[] data) =>
        writer.AddTensor(name, (uint)type, rows == 1 ? [(ulong)columns] : [(ulong)columns, (ulong)rows], data);
}
