using System.Text;
using LServe.Api.Http;
using Microsoft.AspNetCore.Http;

namespace LServe.Api;

/// <summary><c>GET /metrics</c>: every instrument of the program in Prometheus's text format.</summary>
internal sealed class MetricsEndpoint(ApiServices api)
{
    public void Map(Routes routes) => routes.Get("/metrics", HandleAsync);

    private async Task HandleAsync(HttpContext http)
    {
        http.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
        http.Response.Headers.CacheControl = "no-store";
        Encoding.UTF8.GetBytes(api.Collector.Render(), http.Response.BodyWriter);
        await http.Response.BodyWriter.FlushAsync(http.RequestAborted);
    }
}
