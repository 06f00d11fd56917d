using Microsoft.AspNetCore.Http;

namespace LServe.Api.Http;

/// <summary>A page's file inside this assembly. Pages load nothing from anywhere else.</summary>
internal sealed class EmbeddedFile(string name, string type)
{
    public const string Html = "text/html; charset=utf-8", Css = "text/css; charset=utf-8", Script = "text/javascript; charset=utf-8";

    // What pages show comes from models and their users: nothing but a page's own files may run.
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

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
        using var file = typeof(EmbeddedFile).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"The assembly lacks {name}.");
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    }
}
