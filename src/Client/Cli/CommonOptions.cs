using System.CommandLine;
using LServe.Client;
using LServe.Contracts;

namespace LServe.Cli;

/// <summary>Options that several commands have, spelled and explained once.</summary>
internal static class CommonOptions
{
    /// <summary>Carries the API key, so that it stands in no process list and no shell history.</summary>
    private const string KeyVariable = "LSERVE_API_KEY";

    public static Option<string?> Url() => new("--url") { Description = $"Address of the server. Default: {LServeClientOptions.DefaultAddress.AbsoluteUri.TrimEnd('/')}", HelpName = "URL" };

    public static Option<string?> Model() => new("--model") { Description = "GGUF file of the model. Default: the bundled SmolLM2-135M-Instruct", HelpName = "PATH" };

    /// <summary>A client of the server at <paramref name="url"/>, or of the one on the default port.</summary>
    public static LServeClient Connect(string? url) => new(new LServeClientOptions
    {
        Address = url is null ? LServeClientOptions.DefaultAddress : AddressOf(url),
        // A person at a terminal is told at once, and tries again as they like.
        Retry = RetryOptions.None,
        ApiKey = Environment.GetEnvironmentVariable(KeyVariable),
    });

    private static Uri AddressOf(string url) =>
        Uri.TryCreate(url, UriKind.Absolute, out var address) && address.Scheme is "http" or "https"
            ? address
            : throw new UsageException($"'{url}' is no address of a server: write it as http://HOST:PORT.");
}
