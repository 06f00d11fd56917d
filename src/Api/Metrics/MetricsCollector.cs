using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Text;

namespace LServe.Api.Metrics;

/// <summary>
/// Listens to the program's instruments and renders them in Prometheus's text format
/// (https://prometheus.io/docs/instrumenting/exposition_formats/). Thread-safe.
/// </summary>
internal sealed class MetricsCollector : IDisposable
{
    private readonly ConcurrentDictionary<Instrument, MetricFamily> _families = new();
    private readonly MeterListener _listener = new();
    private readonly object _scope;

    /// <param name="scope">Of meters that have a scope, the one that is listened to.</param>
    public MetricsCollector(object scope)
    {
        _scope = scope;
        _listener.InstrumentPublished = Publish;
        _listener.SetMeasurementEventCallback<int>((_, value, tags, family) => ((MetricFamily)family!).Record(value, tags));
        _listener.SetMeasurementEventCallback<long>((_, value, tags, family) => ((MetricFamily)family!).Record(value, tags));
        _listener.SetMeasurementEventCallback<double>((_, value, tags, family) => ((MetricFamily)family!).Record(value, tags));
        _listener.Start();
    }

    public string Render()
    {
        _listener.RecordObservableInstruments();
        var text = new StringBuilder();
        foreach (var family in _families.Values.OrderBy(family => family.Name, StringComparer.Ordinal))
            family.Render(text);
        return text.ToString();
    }

    public void Dispose() => _listener.Dispose();

    private void Publish(Instrument instrument, MeterListener listener)
    {
        if (!instrument.Meter.Name.StartsWith("LServe", StringComparison.Ordinal) || (instrument.Meter.Scope ?? _scope) != _scope)
            return;
        listener.EnableMeasurementEvents(instrument, _families.GetOrAdd(instrument, MetricFamily.Of));
    }
}
