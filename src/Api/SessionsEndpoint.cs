using System.Globalization;
using LServe.Api.Http;
using LServe.Contracts;
using LServe.Contracts.OpenAi;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace LServe.Api;

/// <summary>Kept conversations: list, show, delete, stop a turn, free pages, go back in time.</summary>
internal sealed class SessionsEndpoint(ApiServices api)
{
    private const int DefaultLimit = 100;

    public void Map(Routes routes)
    {
        routes.Get("/v1/sessions", ListAsync);
        routes.Get("/v1/sessions/{id}", ShowAsync);
        routes.Delete("/v1/sessions/{id}", DeleteAsync);
        routes.Post("/v1/sessions/{id}/cancel", CancelAsync);
        routes.Post("/v1/sessions/{id}/release", ReleaseAsync);
        routes.Post("/v1/sessions/{id}/migrate", MigrateAsync);
        routes.Post("/v1/sessions/{id}/rewind", RewindAsync);
        routes.Post("/v1/sessions/{id}/fork", ForkAsync);
    }

    /// <summary>The session that a route names.</summary>
    public static SessionKey KeyOf(HttpContext http) =>
        new(Tenancy.Of(http), Uri.UnescapeDataString((string)http.Request.RouteValues["id"]!));

    private async Task ListAsync(HttpContext http)
    {
        var sessions = await api.Host.ListAsync(Tenancy.Of(http), ReadLimit(http, api.Options), http.RequestAborted);
        await JsonReply.WriteAsync(http, new("list", sessions), WireJson.Default.SessionList);
    }

    private async Task ShowAsync(HttpContext http)
    {
        var key = KeyOf(http);
        var session = await api.Host.GetAsync(key, http.RequestAborted) ?? throw NotFound(key);
        await JsonReply.WriteAsync(http, session, WireJson.Default.SessionInfo);
    }

    private async Task DeleteAsync(HttpContext http)
    {
        var key = KeyOf(http);
        if (!await api.Host.DeleteAsync(key, http.RequestAborted))
            throw NotFound(key);
        await ReplyAsync(http, new(key.Session, Deleted: true));
    }

    private async Task CancelAsync(HttpContext http)
    {
        var key = KeyOf(http);
        await ReplyAsync(http, new(key.Session, Cancelled: await api.Host.CancelAsync(key, http.RequestAborted)));
    }

    private async Task ReleaseAsync(HttpContext http)
    {
        var key = KeyOf(http);
        if (!await api.Host.ReleaseAsync(key, http.RequestAborted))
            throw NotFound(key);
        await ReplyAsync(http, new(key.Session, Released: true));
    }

    private async Task MigrateAsync(HttpContext http)
    {
        var key = KeyOf(http);
        var hasBody = http.Features.Get<IHttpRequestBodyDetectionFeature>() is not { CanHaveBody: false };
        var move = !hasBody ? new() : await RequestBody.ReadAsync(http, WireJson.Default.SessionMove, api.Options);
        await ReplyAsync(http, new(key.Session, Silo: await api.Host.MigrateAsync(key, move.Silo, http.RequestAborted) ?? throw NotFound(key)));
    }

    private async Task RewindAsync(HttpContext http)
    {
        var key = KeyOf(http);
        var travel = await RequestBody.ReadAsync(http, WireJson.Default.SessionTravel, api.Options);
        var turn = travel.Turn ?? throw LServeException.Invalid("'turn' is missing: the turn to go back to, from 1.", "turn");
        var session = await api.Host.RewindAsync(key, turn, http.RequestAborted) ?? throw NotFound(key);
        await JsonReply.WriteAsync(http, session, WireJson.Default.SessionInfo);
    }

    private async Task ForkAsync(HttpContext http)
    {
        var key = KeyOf(http);
        var travel = await RequestBody.ReadAsync(http, WireJson.Default.SessionTravel, api.Options);
        var name = travel.SessionId ?? throw LServeException.Invalid("'session_id' is missing: the new session's name.", "session_id");
        var session = await api.Host.ForkAsync(key, new(key.Tenant, name), travel.Turn, travel.Attention, http.RequestAborted) ?? throw NotFound(key);
        await JsonReply.WriteAsync(http, session, WireJson.Default.SessionInfo);
    }

    /// <summary>How many sessions a request asks for.</summary>
    public static int ReadLimit(HttpContext http, ApiOptions options, int otherwise = DefaultLimit)
    {
        var text = http.Request.Query["limit"].ToString();
        if (text.Length == 0)
            return otherwise;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) && limit >= 1 && limit <= options.MaxListedSessions
            ? limit
            : throw LServeException.Invalid($"'limit' must be a whole number from 1 to {options.MaxListedSessions}.", "limit");
    }

    private static Task ReplyAsync(HttpContext http, SessionReply reply) => JsonReply.WriteAsync(http, reply, WireJson.Default.SessionReply);

    public static LServeException NotFound(SessionKey key) =>
        new(new(ErrorCode.SessionNotFound, $"There is no session '{key.Session}'.", "session"));
}
