using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace LServe.Silo;

/// <summary>Which cluster this silo belongs to: silos of one machine that all know the first one's port.</summary>
/// <param name="SiloPort">TCP port for other silos.</param>
/// <param name="GatewayPort">TCP port for the cluster's clients.</param>
/// <param name="PrimaryPort">Silo port of the first silo; null: this is the first.</param>
internal sealed record ClusterMembership(int SiloPort, int GatewayPort, int? PrimaryPort)
{
    private const int DefaultSiloPort = 11_111, DefaultGatewayPort = 30_000;
    private const string Usage = "write --cluster localhost, or --cluster localhost,silo=PORT,gateway=PORT,primary=PORT with any of the three";

    public IPEndPoint? Primary => PrimaryPort is { } port ? new(IPAddress.Loopback, port) : null;

    /// <summary>Without <c>--cluster</c> a silo of its own on free ports, so that servers don't get into each other's way.</summary>
    /// <exception cref="StartException">The option can't be read.</exception>
    public static ClusterMembership Of(SiloOptions options)
    {
        if (options.Cluster is not { } text) return new(FreePort(), FreePort(), null);
        var parts = text.Split(',');
        if (parts[0] != "localhost") throw new StartException($"--cluster '{text}' names no provider that this version has; {Usage}.");
        return parts.Skip(1).Aggregate(new ClusterMembership(DefaultSiloPort, DefaultGatewayPort, null), (membership, part) => membership.With(part, text));
    }

    /// <exception cref="StartException">A port is taken.</exception>
    public void Check()
    {
        CheckFree(SiloPort, "silo");
        CheckFree(GatewayPort, "gateway");
    }

    private ClusterMembership With(string part, string text)
    {
        var (name, value) = part.IndexOf('=') is var at and >= 0 ? (part[..at], part[(at + 1)..]) : (part, "");
        if (!int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port is < 1 or > 65_535)
            throw new StartException($"--cluster '{text}': '{part}' is no port; {Usage}.");
        return name switch
        {
            "silo" => this with { SiloPort = port },
            "gateway" => this with { GatewayPort = port },
            "primary" => this with { PrimaryPort = port },
            _ => throw new StartException($"--cluster '{text}': there is no '{name}'; {Usage}."),
        };
    }

    private static void CheckFree(int port, string what)
    {
        try
        {
            using var probe = new TcpListener(IPAddress.Loopback, port);
            probe.Start();
        }
        catch (SocketException problem)
        {
            throw new StartException($"the {what} port {port} is taken; choose another with --cluster localhost,{what}=PORT.", problem);
        }
    }

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
