using System.Numerics.Tensors;

namespace LServe.Eval;

/// <summary>Sums over positions of how two predictions differ.</summary>
internal sealed class Comparison(int vocabulary)
{
    private readonly float[] _dense = new float[vocabulary], _other = new float[vocabulary], _scratch = new float[vocabulary];
    private double _divergence, _loss, _denseLoss;
    private int _same, _positions;

    /// <param name="next">The token that came.</param>
    public void Add(ReadOnlySpan<float> dense, ReadOnlySpan<float> other, int next)
    {
        LogSoftMax(dense, _dense);
        LogSoftMax(other, _other);
        TensorPrimitives.Exp<float>(_dense, _scratch);
        for (var i = 0; i < vocabulary; i++) _divergence += (double)_scratch[i] * (_dense[i] - _other[i]);
        _same += TensorPrimitives.IndexOfMax(dense) == TensorPrimitives.IndexOfMax(other) ? 1 : 0;
        (_loss, _denseLoss, _positions) = (_loss - _other[next], _denseLoss - _dense[next], _positions + 1);
    }

    public DivergenceRow Row(Setting setting, double seconds) => new(
        setting.Name, SettingText.Of(setting), _positions, (double)_same / _positions, _divergence / _positions, (_loss - _denseLoss) / _positions, seconds);

    private void LogSoftMax(ReadOnlySpan<float> logits, float[] result)
    {
        TensorPrimitives.Subtract(logits, TensorPrimitives.Max(logits), result);
        TensorPrimitives.Exp<float>(result, _scratch);
        TensorPrimitives.Subtract<float>(result, (float)Math.Log(TensorPrimitives.Sum<float>(_scratch)), result);
    }
}

/// <param name="Divergence">Mean Kullback-Leibler divergence from the dense predictions, nats.</param>
/// <param name="LossDifference">Mean negative log-likelihood minus the dense one's, nats.</param>
/// <param name="Seconds">Of the decode steps, comparison included.</param>
internal sealed record DivergenceRow(string Name, string Setting, int Positions, double Top1, double Divergence, double LossDifference, double Seconds)
{
    /// <inheritdoc cref="AttentionAudit.Error"/>
    public double? OutputError { get; init; }

    /// <inheritdoc cref="AttentionAudit.Mass"/>
    public double? Mass { get; init; }

    /// <inheritdoc cref="AttentionAudit.RetrievalMass"/>
    public double? RetrievalMass { get; init; }
}
