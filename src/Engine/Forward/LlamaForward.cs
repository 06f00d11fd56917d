using LServe.Model;

namespace LServe.Inference;

/// <summary>
/// The forward pass of the Llama family, for every precision and backend: R rows of a step through L layers.
/// Shapes: C hidden, H query heads, G KV heads, D channels, F feed-forward, V vocabulary.
/// </summary>
public sealed class LlamaForward : IDisposable
{
    private sealed record Layer(
        AttentionLayer Attention, IDeviceWeight AttentionNorm, IDeviceWeight Qkv, IDeviceWeight AttentionOutput,
        IDeviceWeight FeedForwardNorm, IDeviceWeight GateUp, IDeviceWeight Down);

    private readonly IBackend _backend;
    private readonly float _epsilon;
    private readonly Layer[] _layers;
    private readonly IDeviceWeight _embedding, _outputNorm, _output;
    private readonly IDeviceBuffer _x, _normed, _qkv, _attended, _gateUp, _activated;

    /// <param name="maxRows">Most rows of a step; activations are allocated for them once.</param>
    /// <param name="progress">Told the share of layers loaded, 0 … 1.</param>
    public LlamaForward(IBackend backend, ModelConfig config, ModelWeights weights, int maxRows, IProgress<float>? progress = null)
    {
        (_backend, _epsilon) = (backend, config.RmsEpsilon);
        _embedding = backend.LoadMatrix([weights.Embedding]);
        _layers = new Layer[config.Layers];
        for (var i = 0; i < _layers.Length; i++)
        {
            _layers[i] = Load(config, weights.Layers[i], i);
            progress?.Report((i + 1f) / _layers.Length);
        }
        _outputNorm = backend.LoadVector(weights.OutputNorm);
        _output = ReferenceEquals(weights.Output, weights.Embedding) ? _embedding : backend.LoadMatrix([weights.Output]);
        _x = backend.Allocate(maxRows, config.HiddenSize);
        _normed = backend.Allocate(maxRows, config.HiddenSize);
        _qkv = backend.Allocate(maxRows, config.QkvSize);
        _attended = backend.Allocate(maxRows, config.QueryHeads * config.HeadDim);
        _gateUp = backend.Allocate(maxRows, 2 * config.FeedForwardSize);
        _activated = backend.Allocate(maxRows, config.FeedForwardSize);
    }

    /// <summary>Runs one step. Returns logits [LogitRows, V], valid until the next call.</summary>
    public ReadOnlySpan<float> Run(StepPlan plan)
    {
        _backend.BeginStep(plan);
        _backend.Embed(_embedding, _x);                                                 // x: [R, C]
        foreach (var layer in _layers)
        {
            _backend.RmsNorm(_x, layer.AttentionNorm, _epsilon, _normed);               // [R, C]
            _backend.Linear(_normed, layer.Qkv, _qkv);                                  // [R, (H + 2G)·D]
            _backend.RopeAppend(layer.Attention, _qkv);                                 // keys and values into their pages
            _backend.Select(layer.Attention, _qkv);                                     // pages to read, per sequence and KV head
            _backend.Attend(layer.Attention, _qkv, _attended);                          // [R, H·D]
            _backend.LinearAdd(_attended, layer.AttentionOutput, _x);                   // x += …: [R, C]
            _backend.RmsNorm(_x, layer.FeedForwardNorm, _epsilon, _normed);             // [R, C]
            _backend.Linear(_normed, layer.GateUp, _gateUp);                            // [R, 2F]
            _backend.SiluMul(_gateUp, _activated);                                      // [R, F]
            _backend.LinearAdd(_activated, layer.Down, _x);                             // x += …: [R, C]
        }
        _backend.Logits(_x, _outputNorm, _epsilon, _output);                            // [LogitRows, V]
        return _backend.EndStep();
    }

    private Layer Load(ModelConfig config, LayerWeights w, int index) => new(
        new AttentionLayer(index, config, LoadOptional(w.QueryNorm), LoadOptional(w.KeyNorm)),
        _backend.LoadVector(w.AttentionNorm),
        _backend.LoadMatrix([w.Query, w.Key, w.Value], [w.QueryBias, w.KeyBias, w.ValueBias]),
        _backend.LoadMatrix([w.AttentionOutput]),
        _backend.LoadVector(w.FeedForwardNorm),
        _backend.LoadMatrix([w.Gate, w.Up]),
        _backend.LoadMatrix([w.Down]));

    private IDeviceWeight? LoadOptional(Tensor? vector) => vector is null ? null : _backend.LoadVector(vector);

    public void Dispose()
    {
        foreach (var layer in _layers)
            foreach (var weight in new[] { layer.AttentionNorm, layer.Qkv, layer.AttentionOutput, layer.FeedForwardNorm, layer.GateUp, layer.Down,
                         layer.Attention.QueryNorm, layer.Attention.KeyNorm })
                weight?.Dispose();
        if (!ReferenceEquals(_output, _embedding)) _output.Dispose();
        _embedding.Dispose();
        _outputNorm.Dispose();
        foreach (var buffer in new[] { _x, _normed, _qkv, _attended, _gateUp, _activated }) buffer.Dispose();
    }
}
