namespace LServe.Model;

/// <summary>Finds the tensors of a decoder by name and holds their shapes against the configuration.</summary>
internal sealed class WeightsLoader(ITensorDirectory tensors, TensorNames names, ModelConfig config)
{
    private readonly HashSet<string> _used = [];

    /// <param name="tied">True: no output matrix is looked for; null: the file decides by having one or not.</param>
    /// <exception cref="ModelFileException">A tensor is missing, has the wrong shape, or belongs to no model that is known.</exception>
    public ModelWeights Load(bool? tied)
    {
        var embedding = Required(names.Embedding + ".weight", config.VocabularySize, config.HiddenSize);
        var layers = new LayerWeights[config.Layers];
        for (var i = 0; i < layers.Length; i++) layers[i] = LoadLayer($"{names.LayerPrefix}{i}.");
        var norm = Vector(names.OutputNorm + ".weight", config.HiddenSize);
        var output = LoadOutput(tied) ?? embedding;
        RefuseUnused();
        return new ModelWeights(embedding, layers, norm, output);
    }

    private Tensor? LoadOutput(bool? tied)
    {
        var name = names.Output + ".weight";
        if (tied == true) _used.Add(name);
        if (tied == true || tied is null && tensors.Find(name) is null) return null;
        return Required(name, config.VocabularySize, config.HiddenSize);
    }

    private LayerWeights LoadLayer(string layer)
    {
        int hidden = config.HiddenSize, queries = config.QueryHeads * config.HeadDim, keys = config.KvHeads * config.HeadDim;
        bool biased = config.Architecture == "qwen2", normed = config.Architecture == "qwen3";
        return new LayerWeights
        {
            AttentionNorm = Vector(layer + names.AttentionNorm + ".weight", hidden),
            Query = Required(layer + names.Query + ".weight", queries, hidden),
            Key = Required(layer + names.Key + ".weight", keys, hidden),
            Value = Required(layer + names.Value + ".weight", keys, hidden),
            AttentionOutput = Required(layer + names.AttentionOutput + ".weight", hidden, queries),
            FeedForwardNorm = Vector(layer + names.FeedForwardNorm + ".weight", hidden),
            Gate = Required(layer + names.Gate + ".weight", config.FeedForwardSize, hidden),
            Up = Required(layer + names.Up + ".weight", config.FeedForwardSize, hidden),
            Down = Required(layer + names.Down + ".weight", hidden, config.FeedForwardSize),
            QueryBias = Vector(layer + names.Query + ".bias", queries, biased),
            KeyBias = Vector(layer + names.Key + ".bias", keys, biased),
            ValueBias = Vector(layer + names.Value + ".bias", keys, biased),
            QueryNorm = Vector(layer + names.QueryNorm + ".weight", config.HeadDim, normed),
            KeyNorm = Vector(layer + names.KeyNorm + ".weight", config.HeadDim, normed),
        };
    }

    private Tensor Vector(string name, int length) => Required(name, 1, length);

    private Tensor? Vector(string name, int length, bool required) =>
        required || tensors.Find(name) is not null ? Vector(name, length) : null;

    private Tensor Required(string name, int rows, int columns)
    {
        var tensor = tensors.Find(name) ?? throw tensors.Problem(name, "is missing.");
        if (tensor.Rows != rows || tensor.Columns != columns)
            throw tensors.Problem(name, $"has the shape [{tensor.Rows}, {tensor.Columns}]; the configuration wants [{rows}, {columns}].");
        _used.Add(name);
        return tensor;
    }

    /// <summary>A tensor nobody asked for would be left out of the computation, and the answers would be wrong without a word.</summary>
    private void RefuseUnused()
    {
        var unused = tensors.Names.FirstOrDefault(name => !_used.Contains(name) && !names.IsRedundant(name));
        if (unused is not null)
            throw tensors.Problem(unused, $"is no part of a {config.Architecture} model of {config.Layers} layers that is known.");
    }
}
