using System.Net;
using System.Text.Json.Nodes;

namespace LServe.Tests.Unit.Api;

internal static class ErrorAssert
{
    /// <summary>The response is an error in OpenAI's shape; gives its message.</summary>
    public static async Task<string> IsAsync(HttpResponseMessage response, HttpStatusCode status, string code, string? param)
    {
        var body = await response.Content.ReadAsStringAsync();
        Assert.True(status == response.StatusCode, $"{response.StatusCode}: {body}");
        Assert.Equal("application/json", response.Content.Headers.ContentType!.MediaType);
        var error = JsonNode.Parse(body)!["error"]!.AsObject();
        Assert.Equal(["message", "type", "param", "code"], error.Select(field => field.Key));
        Assert.Equal((code, param), ((string?)error["code"], (string?)error["param"]));
        return (string)error["message"]!;
    }
}
