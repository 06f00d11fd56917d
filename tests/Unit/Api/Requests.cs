namespace LServe.Tests.Unit.Api;

internal static class Requests
{
    public const string ChatPath = "/v1/chat/completions";
    public const string TextPath = "/v1/completions";
    public const string Hello = """{"messages":[{"role":"user","content":"Hi"}]}""";

    /// <summary>The smallest chat request with further fields.</summary>
    public static string HelloWith(string fields) => Hello[..^1] + "," + fields + "}";
}
