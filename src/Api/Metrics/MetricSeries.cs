using System.Globalization;
using System.Text;

namespace LServe.Api.Metrics;

/// <summary>The numbers of one combination of tags. Its family guards it.</summary>
internal sealed class MetricSeries(MetricKind kind)
{
    /// <summary>Seconds: upper ends of a histogram's buckets, from a warm session's first text to a long prompt's.</summary>
    private static readonly double[] Bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

    private readonly long[] _buckets = kind == MetricKind.Histogram ? new long[Bounds.Length] : [];
    private long _count;
    private double _value;

    public void Record(double value)
    {
        _count++;
        _value = kind is MetricKind.Gauge or MetricKind.ObservedCounter ? value : _value + value;
        for (var i = 0; i < _buckets.Length; i++)
            if (value <= Bounds[i])
                _buckets[i]++;
    }

    public void Render(StringBuilder text, string name, string labels)
    {
        if (kind != MetricKind.Histogram)
        {
            Line(text, name, labels, _value);
            return;
        }
        for (var i = 0; i < _buckets.Length; i++)
            Line(text, name + "_bucket", With(labels, Number(Bounds[i])), _buckets[i]);
        Line(text, name + "_bucket", With(labels, "+Inf"), _count);
        Line(text, name + "_sum", labels, _value);
        Line(text, name + "_count", labels, _count);
    }

    private static string With(string labels, string bound) => (labels.Length == 0 ? "" : labels + ",") + $"le=\"{bound}\"";

    private static void Line(StringBuilder text, string name, string labels, double value) =>
        text.Append(name).Append(labels.Length == 0 ? "" : "{" + labels + "}").Append(' ').Append(Number(value)).Append('\n');

    private static string Number(double value) => value.ToString(CultureInfo.InvariantCulture);
}
