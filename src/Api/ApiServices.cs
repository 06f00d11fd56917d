using LServe.Api.Metrics;
using LServe.Api.Turns;
using LServe.Sessions;
using Microsoft.Extensions.Logging;

namespace LServe.Api;

/// <summary>What every endpoint needs.</summary>
internal sealed class ApiServices : IDisposable
{
    public ApiServices(ISessionHost host, ApiOptions options, TimeProvider time, ILoggerFactory loggers)
    {
        (Host, Options, Time, Logger) = (host, options, time, loggers.CreateLogger("LServe.Api"));
        Metrics = new ApiMetrics(host);
        Readers = new TurnReaders(time);
        Collector = new MetricsCollector(Metrics);
        Started = time.GetUtcNow();
    }

    public ISessionHost Host { get; }
    public ApiOptions Options { get; }
    public TimeProvider Time { get; }
    public ILogger Logger { get; }
    public ApiMetrics Metrics { get; }
    public MetricsCollector Collector { get; }
    public TurnReaders Readers { get; }

    /// <summary>When this server began to serve its model.</summary>
    public DateTimeOffset Started { get; }

    public void Dispose()
    {
        Collector.Dispose();
        Metrics.Dispose();
    }
}
