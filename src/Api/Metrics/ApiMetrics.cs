using System.Diagnostics.Metrics;
using System.Globalization;
using LServe.Sessions;

namespace LServe.Api.Metrics;

/// <summary>What the HTTP surface and its host count. The meter's scope is this object, so that two servers of one process stay apart.</summary>
internal sealed class ApiMetrics : IDisposable
{
    private readonly Meter _meter;
    private readonly Counter<long> _requests;
    private readonly Histogram<double> _requestSeconds;
    private readonly Histogram<double> _startSeconds;
    private readonly Histogram<double> _firstTextSeconds;

    public ApiMetrics(ISessionHost host)
    {
        _meter = new Meter("LServe.Api", version: null, tags: null, scope: this);
        _requests = _meter.CreateCounter<long>("lserve_http_requests", "requests", "Requests answered, by route and status.");
        _requestSeconds = _meter.CreateHistogram<double>("lserve_http_request_seconds", "s", "From a request's head to the end of its answer.");
        _startSeconds = _meter.CreateHistogram<double>("lserve_turn_wait_seconds", "s", "From a request to its turn's start.");
        _firstTextSeconds = _meter.CreateHistogram<double>("lserve_first_text_seconds", "s", "From a streamed turn's start to its first text.");
        Observe(host);
    }

    public void Count(string route, int status, TimeSpan took)
    {
        _requests.Add(1, new("route", route), new("status", status.ToString(CultureInfo.InvariantCulture)));
        _requestSeconds.Record(took.TotalSeconds, new KeyValuePair<string, object?>("route", route));
    }

    public void TurnStarted(TimeSpan waited) => _startSeconds.Record(waited.TotalSeconds);

    public void FirstText(TimeSpan took) => _firstTextSeconds.Record(took.TotalSeconds);

    public void Dispose() => _meter.Dispose();

    private void Observe(ISessionHost host)
    {
        _meter.CreateObservableGauge("lserve_ready", () => host.Status.Ready ? 1 : 0, null, "1 when turns are accepted.");
        _meter.CreateObservableGauge("lserve_sessions", () => host.Status.Sessions, null, "Sessions in memory.");
        _meter.CreateObservableGauge("lserve_sequences_running", () => host.Status.Running, null, "Sequences that share the engine's steps.");
        _meter.CreateObservableGauge("lserve_sequences_waiting", () => host.Status.Waiting, null, "Sequences that wait for a place in a step.");
        _meter.CreateObservableGauge("lserve_kv_pages_used", () => host.Status.PagesUsed, null, "KV pages in use.");
        _meter.CreateObservableGauge("lserve_kv_pages", () => host.Status.PagesTotal, null, "KV pages of the pool.");
        _meter.CreateObservableCounter("lserve_kv_pages_read", () => host.Status.PagesRead, null, "KV pages that heads read in decode steps.");
        _meter.CreateObservableCounter("lserve_kv_pages_held", () => host.Status.PagesHeld, null, "KV pages that those heads held in those steps.");
        _meter.CreateObservableCounter("lserve_prompt_tokens", () => host.Status.PromptTokens, null, "Prompt tokens computed.");
        _meter.CreateObservableCounter("lserve_generated_tokens", () => host.Status.GeneratedTokens, null, "Tokens generated.");
        _meter.CreateObservableCounter("lserve_steps", () => host.Status.Steps, null, "Steps of the engine.");
        _meter.CreateObservableGauge("lserve_tokens_per_second", () => host.Status.TokensPerSecond, null, "Tokens generated per second, lately.");
    }
}
