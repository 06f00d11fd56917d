using LServe.Api.Http;
using Microsoft.AspNetCore.Http;

namespace LServe.Api;

/// <summary>The chat page at <c>/</c>: files inside this assembly that load nothing from anywhere else.</summary>
internal static class ChatPageEndpoint
{
    // What the page shows comes from a model: nothing but its own files may run.
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    public static void Map(Routes routes)
    {
        routes.Get("/", new EmbeddedFile("chat.html", "text/html; charset=utf-8").WriteAsync);
        routes.Get("/chat.css", new EmbeddedFile("chat.css", "text/css; charset=utf-8").WriteAsync);
        foreach (var script in new[] { "chat.js", "view.js", "stream.js", "markdown.js" })
            routes.Get("/" + script, new EmbeddedFile(script, "text/javascript; charset=utf-8").WriteAsync);
    }

    private sealed class EmbeddedFile(string name, string type)
    {
        private readonly Lazy<byte[]> _bytes = new(() => Read(name));

        public async Task WriteAsync(HttpContext http)
        {
            http.Response.ContentType = type;
            http.Response.Headers.CacheControl = "no-cache";
            http.Response.Headers.ContentSecurityPolicy = Policy;
            http.Response.Headers.XContentTypeOptions = "nosniff";
            http.Response.Headers["Referrer-Policy"] = "no-referrer";
            await http.Response.Body.WriteAsync(_bytes.Value, http.RequestAborted);
        }

        private static byte[] Read(string name)
        {
            using var file = typeof(ChatPageEndpoint).Assembly.GetManifestResourceStream(name)
                ?? throw new InvalidOperationException($"The assembly lacks {name}.");
            var bytes = new byte[file.Length];
            file.ReadExactly(bytes);
            return bytes;
        }
    }
}
