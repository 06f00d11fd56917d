namespace LServe.Model;

/// <summary>
/// Which attention heads of a model can do with a sink and a local window: a gate per KV head (DuoAttention, arXiv 2410.10819), the window
/// sizes it was made for, and constants that keys are centred by before they are quantised.
/// </summary>
public sealed record HeadPattern
{
    /// <summary>[layer][KV head]: how much a head needs all tokens; 0 not at all, 1 fully. May lie slightly outside.</summary>
    public required IReadOnlyList<float[]> Gates { get; init; }

    /// <summary>Share of all KV heads that stream. Default one half.</summary>
    public double Share { get; init; } = 0.5;

    /// <summary>Tokens: first ones that a streaming head sees.</summary>
    public int Sink { get; init; } = 64;

    /// <summary>Tokens: last ones that a streaming head sees, the current one among them.</summary>
    public int Local { get; init; } = 1024;

    /// <summary>[layer, KV head, channel] mean of the keys after RoPE, or null: zeros.</summary>
    public float[]? Centres { get; init; }

    public int Layers => Gates.Count;
    public int KvHeads => Gates.Count == 0 ? 0 : Gates[0].Length;

    /// <summary>[layer][KV head]: the ⌊share · heads⌋ least gates of all stream, clipped to [0, 1] first; of equal gates the lower layer, then head.</summary>
    public bool[][] Streams()
    {
        var order = Enumerable.Range(0, Layers * KvHeads).OrderBy(i => Math.Clamp(Gates[i / KvHeads][i % KvHeads], 0f, 1f));
        bool[][] streams = [.. Gates.Select(g => new bool[g.Length])];
        foreach (var i in order.Take((int)Math.Floor(Share * Layers * KvHeads))) streams[i / KvHeads][i % KvHeads] = true;
        return streams;
    }

    /// <exception cref="ArgumentException">The pattern is for a model of another shape.</exception>
    public void CheckFor(ModelConfig model)
    {
        if (Layers != model.Layers || Gates.Any(g => g.Length != model.KvHeads))
            throw new ArgumentException(
                $"The head pattern is for {Layers} layers of {KvHeads} KV heads; the model {model.Name} has {model.Layers} of {model.KvHeads}. " +
                "Take the model's own pattern, or make one with ./lserve calibrate.");
        if (Gates.SelectMany(g => g).Any(g => !float.IsFinite(g))) throw new ArgumentException("The head pattern has a gate that is no number.");
        if (Share is not (>= 0 and <= 1)) throw new ArgumentException($"The share of streaming heads is {Share}; it must be 0 to 1.");
        if (Centres is { } centres && centres.Length != model.Layers * model.KvHeads * model.HeadDim)
            throw new ArgumentException(
                $"The head pattern centres keys by {centres.Length} numbers; the model has {model.Layers} layers of {model.KvHeads} KV heads of {model.HeadDim} channels.");
        if (Centres?.Any(c => !float.IsFinite(c)) == true) throw new ArgumentException("The head pattern has a centre that is no number.");
    }
}
