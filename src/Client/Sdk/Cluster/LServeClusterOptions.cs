using System.Net;
using LServe.Contracts;

namespace LServe.Client;

/// <summary>Where a cluster is and who asks.</summary>
public sealed record LServeClusterOptions
{
    /// <summary>Gateway port of <c>./lserve serve --cluster localhost</c>.</summary>
    public const int DefaultGatewayPort = 30_000;

    /// <summary>Name of the cluster and of the service that <c>./lserve serve</c> takes.</summary>
    public const string DefaultName = "lserve";

    /// <summary>Gateways of silos; any of them will do. Default: this machine's <see cref="DefaultGatewayPort"/>.</summary>
    public IReadOnlyList<IPEndPoint> Gateways { get; init; } = [new(IPAddress.Loopback, DefaultGatewayPort)];

    /// <summary>The cluster's name, which gateways check. Default <see cref="DefaultName"/>.</summary>
    public string ClusterId { get; init; } = DefaultName;

    /// <summary>Whose sessions are meant. Default <see cref="SessionKey.DefaultTenant"/>.</summary>
    public string Tenant { get; init; } = SessionKey.DefaultTenant;

    /// <summary>Times: most that connecting is tried, a second apart. Default 10.</summary>
    public int ConnectAttempts { get; init; } = 10;

    /// <summary>What is tried again, and how often.</summary>
    public RetryOptions Retry { get; init; } = new();
}
