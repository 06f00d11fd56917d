using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Runtime.CompilerServices;
using System.Text.Json.Serialization.Metadata;
using LServe.Contracts;
using LServe.Contracts.OpenAi;

namespace LServe.Client;

/// <summary>Speaks to a server over HTTP.</summary>
public sealed class LServeClient : ISessionClient, ISessionArchive, IDisposable
{
    private const string ResumeHeader = "X-Resume-Within", TurnHeader = "X-Turn-Id";

    /// <summary>Time for which a reader who leaves waits for the server to know.</summary>
    private static readonly TimeSpan s_leavePatience = TimeSpan.FromSeconds(2);

    private readonly HttpClient _http;
    private readonly LServeClientOptions _options;
    private readonly Retrying _retrying;

    /// <param name="handler">Takes the place of the network, for tests and proxies; disposed of with the client.</param>
    /// <param name="time">The clock of waits between tries.</param>
    public LServeClient(LServeClientOptions? options = null, HttpMessageHandler? handler = null, TimeProvider? time = null)
    {
        _options = options ?? new();
        _retrying = new(_options.Retry, time ?? TimeProvider.System);
        _http = new HttpClient(handler ?? new SocketsHttpHandler { ConnectTimeout = _options.ConnectTimeout })
        {
            BaseAddress = new Uri(_options.Address.AbsoluteUri.TrimEnd('/') + "/"),
            Timeout = Timeout.InfiniteTimeSpan,
        };
        if (_options.ApiKey is { } key) _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
    }

    public LServeClient(string address) : this(new LServeClientOptions { Address = new Uri(address) })
    {
    }

    public IAsyncEnumerable<TurnEvent> SendAsync(string sessionId, TurnRequest request, CancellationToken cancellation = default) => _retrying.TurnAsync(
        request, (turn, closing) => SendOnceAsync(sessionId, turn, closing), IsResumable ? turnId => LeaveAsync(sessionId, turnId) : null, cancellation);

    public Task<SessionInfo?> GetAsync(string sessionId, CancellationToken cancellation = default) =>
        RetryAsync(HttpMethod.Get, PathOf(sessionId), WireJson.Default.SessionInfo, cancellation);

    public async Task<IReadOnlyList<SessionInfo>> ListAsync(int limit = 100, CancellationToken cancellation = default)
    {
        var list = await RetryAsync(HttpMethod.Get, $"v1/sessions?limit={limit}", WireJson.Default.SessionList, cancellation).ConfigureAwait(false);
        return list?.Data ?? [];
    }

    /// <summary>The models the server offers.</summary>
    public async Task<IReadOnlyList<ModelCard>> ListModelsAsync(CancellationToken cancellation = default)
    {
        var list = await RetryAsync(HttpMethod.Get, "v1/models", WireJson.Default.ModelList, cancellation).ConfigureAwait(false);
        return list?.Data ?? [];
    }

    public async Task<bool> CancelAsync(string sessionId, CancellationToken cancellation = default) =>
        await RetryAsync(HttpMethod.Post, PathOf(sessionId) + "/cancel", WireJson.Default.SessionReply, cancellation).ConfigureAwait(false) is { Cancelled: true };

    public async Task<bool> ReleaseAsync(string sessionId, CancellationToken cancellation = default) =>
        await RetryAsync(HttpMethod.Post, PathOf(sessionId) + "/release", WireJson.Default.SessionReply, cancellation).ConfigureAwait(false) is { Released: true };

    public async Task<bool> DeleteAsync(string sessionId, CancellationToken cancellation = default) =>
        await CallAsync(HttpMethod.Delete, PathOf(sessionId), WireJson.Default.SessionReply, cancellation).ConfigureAwait(false) is { Deleted: true };

    public async Task<string?> MigrateAsync(string sessionId, string? silo = null, CancellationToken cancellation = default) =>
        (await CallAsync(HttpMethod.Post, PathOf(sessionId) + "/migrate", WireJson.Default.SessionReply, cancellation, JsonContent.Create(new SessionMove(silo), WireJson.Default.SessionMove))
            .ConfigureAwait(false))?.Silo;

    public Task<SessionInfo?> RewindAsync(string sessionId, int turn, CancellationToken cancellation = default) =>
        RetryAsync(HttpMethod.Post, PathOf(sessionId) + "/rewind", WireJson.Default.SessionInfo, cancellation, () => BodyOf(new(Turn: turn)));

    public Task<SessionInfo?> ForkAsync(string sessionId, string to, int? turn = null, AttentionKind? attention = null, CancellationToken cancellation = default) =>
        CallAsync(HttpMethod.Post, PathOf(sessionId) + "/fork", WireJson.Default.SessionInfo, cancellation, BodyOf(new(turn, to, attention)));

    public async Task<bool> ExportAsync(string sessionId, bool withPages, Stream to, CancellationToken cancellation = default)
    {
        using var message = new HttpRequestMessage(HttpMethod.Get, $"{PathOf(sessionId)}/export?pages={(withPages ? "true" : "false")}");
        using var response = await ExchangeAsync(message, cancellation).ConfigureAwait(false);
        if (await Failures.IsMissingSessionAsync(response, cancellation).ConfigureAwait(false)) return false;
        await Failures.ThrowIfFailedAsync(response, cancellation).ConfigureAwait(false);
        try
        {
            await response.Content.CopyToAsync(to, cancellation).ConfigureAwait(false);
            return true;
        }
        catch (Exception problem) when (problem is HttpRequestException or HttpIOException)
        {
            throw new LServeException(new(ErrorCode.Overloaded, "The connection ended before the session's end; export it again.", Retryable: true), problem);
        }
    }

    public async Task<SessionInfo> ImportAsync(string? sessionId, Stream from, CancellationToken cancellation = default)
    {
        var path = sessionId is null ? "v1/sessions/import" : PathOf(sessionId) + "/import";
        using var message = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StreamContent(from) };
        using var response = await ExchangeAsync(message, cancellation).ConfigureAwait(false);
        await Failures.ThrowIfFailedAsync(response, cancellation).ConfigureAwait(false);
        return await Failures.ReadAsync(response, WireJson.Default.SessionInfo, cancellation).ConfigureAwait(false);
    }

    public void Dispose() => _http.Dispose();

    private static JsonContent BodyOf(SessionTravel travel) => JsonContent.Create(travel, WireJson.Default.SessionTravel);

    private bool IsResumable => _options.ResumeWithin > TimeSpan.Zero;

    private async IAsyncEnumerable<TurnEvent> SendOnceAsync(string sessionId, TurnRequest request, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var message = new HttpRequestMessage(HttpMethod.Post, PathOf(sessionId) + "/turns")
        {
            Content = JsonContent.Create(request, WireJson.Default.TurnRequest),
        };
        if (IsResumable) message.Headers.Add(ResumeHeader, Math.Ceiling(_options.ResumeWithin.TotalSeconds).ToString(CultureInfo.InvariantCulture));
        using var response = await ExchangeAsync(message, cancellation).ConfigureAwait(false);
        await Failures.ThrowIfFailedAsync(response, cancellation).ConfigureAwait(false);
        await using var stream = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        await foreach (var happened in TurnEventStream.ReadAsync(stream, cancellation).ConfigureAwait(false))
            yield return happened;
    }

    /// <summary>Says that this reader doesn't come back. If that doesn't get through, the turn ends once nobody has come back in time.</summary>
    private async Task LeaveAsync(string sessionId, string turnId)
    {
        using var patience = new CancellationTokenSource(s_leavePatience);
        try
        {
            using var message = new HttpRequestMessage(HttpMethod.Post, PathOf(sessionId) + "/leave");
            message.Headers.Add(TurnHeader, Uri.EscapeDataString(turnId));
            using var response = await ExchangeAsync(message, patience.Token).ConfigureAwait(false);
        }
        catch (Exception problem) when (problem is LServeException or OperationCanceledException)
        {
            // Nothing is lost but a few steps of the server's.
        }
    }

    private Task<T?> RetryAsync<T>(HttpMethod method, string path, JsonTypeInfo<T> type, CancellationToken cancellation, Func<HttpContent>? body = null) where T : class =>
        _retrying.CallAsync(() => CallAsync(method, path, type, cancellation, body?.Invoke()), cancellation);

    /// <summary>Null when what was asked for isn't there.</summary>
    private async Task<T?> CallAsync<T>(HttpMethod method, string path, JsonTypeInfo<T> type, CancellationToken cancellation, HttpContent? body = null) where T : class
    {
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limited.CancelAfter(_options.RequestTimeout);
        try
        {
            using var message = new HttpRequestMessage(method, path) { Content = body };
            using var response = await ExchangeAsync(message, limited.Token).ConfigureAwait(false);
            if (await Failures.IsMissingSessionAsync(response, limited.Token).ConfigureAwait(false)) return null;
            await Failures.ThrowIfFailedAsync(response, limited.Token).ConfigureAwait(false);
            return await Failures.ReadAsync(response, type, limited.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw LServeException.Overloaded($"The server at {_options.Address} didn't answer within {_options.RequestTimeout.TotalSeconds:0} s.");
        }
    }

    private async Task<HttpResponseMessage> ExchangeAsync(HttpRequestMessage message, CancellationToken cancellation)
    {
        try
        {
            return await _http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, cancellation).ConfigureAwait(false);
        }
        catch (HttpRequestException problem)
        {
            throw Failures.Unreachable(_options.Address, problem);
        }
    }

    private static string PathOf(string sessionId)
    {
        var key = new SessionKey(SessionKey.DefaultTenant, sessionId);
        return "v1/sessions/" + WebUtility.UrlEncode(key.Session).Replace("+", "%20");
    }
}
