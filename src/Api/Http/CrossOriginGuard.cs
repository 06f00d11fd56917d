using Microsoft.AspNetCore.Http;

namespace LServe.Api.Http;

/// <summary>
/// Keeps web pages of other origins from driving a server on this machine through its user's browser. Programs send no Origin and pass.
/// </summary>
internal static class CrossOriginGuard
{
    public const string Explanation = "Web pages of another origin may not use this server; call it from a program, or from its own page.";

    public static bool IsForeign(HttpRequest request)
    {
        var origin = request.Headers.Origin.ToString();
        if (origin.Length == 0)
            return false;
        return !Uri.TryCreate(origin, UriKind.Absolute, out var page) || !string.Equals(page.Authority, Authority(request), StringComparison.OrdinalIgnoreCase);
    }

    // Uri leaves the scheme's default port out; a Host header may name it.
    private static string Authority(HttpRequest request) =>
        Uri.TryCreate($"{request.Scheme}://{request.Host}", UriKind.Absolute, out var own) ? own.Authority : "";
}
