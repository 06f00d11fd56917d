using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using LServe.Inference;
using LServe.Model;

namespace LServe.Sessions;

/// <summary>
/// Tells apart what would make saved pages mean nothing: the model, the form of keys and values, and which heads stream. Of each tensor
/// it looks at the first and the last row alone, so that a start stays fast: it tells a fine-tuned model from its origin, and is no
/// defence against somebody who changes weights on purpose.
/// </summary>
internal static class ContentFingerprint
{
    public static string Of(ModelFile model, Engine engine)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var tensor in TensorsOf(model.Weights)) Add(hash, tensor);
        Add(hash, engine.Geometry);
        Add(hash, engine.Backend.PageLayout);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static IEnumerable<Tensor?> TensorsOf(ModelWeights weights)
    {
        IEnumerable<Tensor?> layers = weights.Layers.SelectMany(l => new[]
        {
            l.AttentionNorm, l.Query, l.Key, l.Value, l.AttentionOutput, l.FeedForwardNorm, l.Gate, l.Up, l.Down,
            l.QueryBias, l.KeyBias, l.ValueBias, l.QueryNorm, l.KeyNorm,
        });
        return layers.Prepend(weights.Embedding).Append(weights.OutputNorm).Append(weights.Output);
    }

    private static void Add(IncrementalHash hash, Tensor? tensor)
    {
        if (tensor is null)
        {
            Add(hash, "none");
            return;
        }
        Add(hash, $"{tensor.Type} {tensor.Rows} {tensor.Columns}");
        hash.AppendData(tensor.Row(0));
        hash.AppendData(tensor.Row(tensor.Rows - 1));
    }

    private static void Add(IncrementalHash hash, KvGeometry geometry)
    {
        Add(hash, $"{geometry.Layers} {geometry.KvHeads} {geometry.HeadDim} {geometry.Precision}");
        for (var layer = 0; layer < geometry.Layers; layer++)
            foreach (var head in geometry.Heads.Layer(layer)) Add(hash, $"{head.Pool} {head.Place}");
        if (geometry.LServe is { } s)
            Add(hash, string.Create(CultureInfo.InvariantCulture,
                $"{s.Sink} {s.Local} {s.Policy} {s.Budget} {s.Renewal} {s.SinkPages} {s.RecentPages} {s.Deviation} {s.Candidates} {s.SketchBits} {s.PrefillThreshold} {s.PrefillBudget}"));
        hash.AppendData(MemoryMarshal.AsBytes(geometry.Centres.AsSpan()));
    }

    private static void Add(IncrementalHash hash, string fact) => hash.AppendData(Encoding.UTF8.GetBytes(fact + "\n"));
}
