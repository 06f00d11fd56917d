using LServe.Api.Http;
using LServe.Contracts;
using LServe.Contracts.OpenAi;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace LServe.Api;

/// <summary>Conversations as files: <c>GET …/export?pages=true</c> and <c>POST …/import</c>.</summary>
internal sealed class SessionFilesEndpoint(ApiServices api)
{
    private const string FileType = "application/octet-stream";

    public void Map(Routes routes)
    {
        routes.Get("/v1/sessions/{id}/export", ExportAsync);
        routes.Post("/v1/sessions/{id}/import", http => ImportAsync(http, SessionsEndpoint.KeyOf(http).Session));
        routes.Post("/v1/sessions/import", http => ImportAsync(http, null));
    }

    private async Task ExportAsync(HttpContext http)
    {
        var key = SessionsEndpoint.KeyOf(http);
        var pages = http.Request.Query["pages"].ToString() switch
        {
            "" or "false" => false,
            "true" => true,
            _ => throw LServeException.Invalid("'pages' is true or false.", "pages"),
        };
        http.Response.ContentType = FileType;
        http.Response.Headers.CacheControl = "no-store";
        if (!await api.Host.ExportAsync(key, pages, http.Response.Body, http.RequestAborted)) throw SessionsEndpoint.NotFound(key);
    }

    private async Task ImportAsync(HttpContext http, string? name)
    {
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size) size.MaxRequestBodySize = api.Options.MaxImportBytes;
        var session = await api.Host.ImportAsync(Tenancy.Of(http), name, http.Request.Body, http.RequestAborted);
        await JsonReply.WriteAsync(http, session with { Messages = [] }, WireJson.Default.SessionInfo);
    }
}
