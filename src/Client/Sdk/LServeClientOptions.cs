namespace LServe.Client;

/// <summary>Where a server is and how to speak to it.</summary>
public sealed record LServeClientOptions
{
    /// <summary>Where <c>./lserve serve</c> listens unless told otherwise.</summary>
    public static readonly Uri DefaultAddress = new("http://127.0.0.1:8080");

    /// <summary>Address of the server, without <c>/v1</c>. Default <see cref="DefaultAddress"/>.</summary>
    public Uri Address { get; init; } = DefaultAddress;

    /// <summary>Sent as a bearer token; null (default) sends none.</summary>
    public string? ApiKey { get; init; }

    /// <summary>Longest wait for a connection. Default 5 s.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Longest wait for the answer to a request other than a turn; a turn may take as long as it takes. Default 30 s.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>What is tried again, and how often.</summary>
    public RetryOptions Retry { get; init; } = new();

    /// <summary>
    /// How long a turn goes on at the server after its connection broke, so that it can be joined again; in whole seconds, up to the
    /// server's limit of 60. Default 15 s; zero: it is stopped at once, and what was sent is kept.
    /// </summary>
    public TimeSpan ResumeWithin { get; init; } = TimeSpan.FromSeconds(15);
}
