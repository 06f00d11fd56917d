using System.Diagnostics.Metrics;
using System.Text;

namespace LServe.Api.Metrics;

internal enum MetricKind
{
    /// <summary>Adds up what is recorded.</summary>
    Counter,

    /// <summary>A sum that somebody else keeps.</summary>
    ObservedCounter,
    Gauge,
    UpDown,
    Histogram,
}

/// <summary>One instrument and its series, one per combination of tags. Thread-safe.</summary>
internal sealed class MetricFamily(string name, string help, MetricKind kind)
{
    /// <summary>Series: most of one instrument; further combinations of tags are dropped.</summary>
    private const int MaxSeries = 512;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, MetricSeries> _series = new(StringComparer.Ordinal);

    public string Name { get; } = name;

    public static MetricFamily Of(Instrument instrument)
    {
        var type = instrument.GetType().GetGenericTypeDefinition();
        var kind = type == typeof(Counter<>) ? MetricKind.Counter
            : type == typeof(ObservableCounter<>) ? MetricKind.ObservedCounter
            : type == typeof(UpDownCounter<>) ? MetricKind.UpDown
            : type == typeof(Histogram<>) ? MetricKind.Histogram
            : MetricKind.Gauge;
        var suffix = kind is MetricKind.Counter or MetricKind.ObservedCounter ? "_total" : "";
        return new MetricFamily(instrument.Name.Replace('.', '_') + suffix, instrument.Description ?? instrument.Name, kind);
    }

    public void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = Labels(tags);
        lock (_lock)
        {
            if (!_series.TryGetValue(labels, out var series))
            {
                if (_series.Count == MaxSeries)
                    return;
                _series.Add(labels, series = new MetricSeries(kind));
            }
            series.Record(value);
        }
    }

    public void Render(StringBuilder text)
    {
        var type = kind switch
        {
            MetricKind.Counter or MetricKind.ObservedCounter => "counter",
            MetricKind.Histogram => "histogram",
            _ => "gauge",
        };
        text.Append($"# HELP {Name} {help}\n# TYPE {Name} {type}\n");
        lock (_lock)
            foreach (var (labels, series) in _series)
                series.Render(text, Name, labels);
    }

    private static string Labels(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (tags.IsEmpty)
            return "";
        var text = new StringBuilder();
        foreach (var (key, value) in tags)
            text.Append(text.Length == 0 ? "" : ",").Append(key).Append("=\"").Append(Escape(value?.ToString() ?? "")).Append('"');
        return text.ToString();
    }

    private static string Escape(string value) => value.Replace("\\", "\\\\").Replace("\"", "\\\"").Replace("\n", "\\n");
}
