using Microsoft.AspNetCore.Http;

namespace LServe.Api.Http;

/// <summary>Names in headers, which carry ASCII alone: other characters travel percent-encoded.</summary>
internal static class HeaderText
{
    /// <summary>The header's value, or null when it wasn't sent.</summary>
    public static string? Read(IHeaderDictionary headers, string name) =>
        headers.TryGetValue(name, out var values) ? Uri.UnescapeDataString(values.ToString()) : null;

    public static string Encode(string text)
    {
        foreach (var c in text)
            if (c is <= ' ' or '%' or > '~')
                return Uri.EscapeDataString(text);
        return text;
    }
}
