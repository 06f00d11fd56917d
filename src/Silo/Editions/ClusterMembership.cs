using System.Globalization;
using System.Net;

namespace LServe.Silo;

/// <summary>Where the silos of a cluster find each other.</summary>
internal enum MembershipProvider
{
    /// <summary>Silos of one machine that all know the first one's port.</summary>
    Localhost,

    /// <summary>A table in PostgreSQL.</summary>
    AdoNet,

    /// <summary>A table in Azure Storage.</summary>
    Azure,
}

/// <summary>Which cluster this silo belongs to, and how it is reached there.</summary>
internal sealed record ClusterMembership
{
    private const int MaxProbeSeconds = 3_600, MaxMisses = 100;
    private const string Usage =
        "write --cluster localhost, adonet or azure, and after it, with commas between, any of silo=PORT, gateway=PORT, address=IP, id=NAME, probe=SECONDS, misses=N and, with localhost, primary=PORT";

    public MembershipProvider Provider { get; private init; }

    /// <summary>TCP port for other silos.</summary>
    public int SiloPort { get; private init; } = 11_111;

    /// <summary>TCP port for the cluster's clients.</summary>
    public int GatewayPort { get; private init; } = 30_000;

    /// <summary>Silo port of the first silo; null: this is the first.</summary>
    public int? PrimaryPort { get; private init; }

    /// <summary>Where other silos and clients reach this one.</summary>
    public IPAddress Address { get; private init; } = IPAddress.Loopback;

    /// <summary>Name of the cluster and of its service.</summary>
    public string Id { get; private init; } = "lserve";

    /// <summary>Time that a silo has to answer another one's question whether it is there.</summary>
    public TimeSpan Probe { get; private init; } = TimeSpan.FromSeconds(5);

    /// <summary>Probes without answer after which a silo is taken for dead.</summary>
    public int Misses { get; private init; } = 3;

    /// <summary>What the table's server is told; null with localhost.</summary>
    public string? Connection { get; private init; }

    public IPEndPoint? Primary => PrimaryPort is { } port ? new(IPAddress.Loopback, port) : null;

    /// <summary>Without <c>--cluster</c> a silo of its own on free ports, so that servers don't get into each other's way.</summary>
    /// <exception cref="StartException">The option can't be read.</exception>
    public static ClusterMembership Of(SiloOptions options)
    {
        if (options.Cluster is not { } text) return new() { SiloPort = FreePort.Find(), GatewayPort = FreePort.Find() };
        var parts = text.Split(',');
        if (!Enum.TryParse<MembershipProvider>(parts[0], ignoreCase: true, out var provider) || char.IsDigit(parts[0][0]))
            throw new StartException($"--cluster '{text}' names no provider that this version has; {Usage}.");
        if (provider != MembershipProvider.Localhost && options.ClusterConnection is null)
            throw new StartException($"--cluster {parts[0]} needs to know its server: --cluster-connection TEXT, or the variable LSERVE_CLUSTER_CONNECTION.");
        var membership = new ClusterMembership { Provider = provider, Connection = options.ClusterConnection };
        return parts.Skip(1).Aggregate(membership, (so, part) => so.With(part, text));
    }

    /// <exception cref="StartException">A port is taken.</exception>
    public void Check()
    {
        FreePort.Check(Address, SiloPort, "silo");
        FreePort.Check(Address, GatewayPort, "gateway");
    }

    private ClusterMembership With(string part, string text)
    {
        var (name, value) = part.IndexOf('=') is var at and >= 0 ? (part[..at], part[(at + 1)..]) : (part, "");
        return name switch
        {
            "silo" => this with { SiloPort = Port() },
            "gateway" => this with { GatewayPort = Port() },
            "primary" when Provider == MembershipProvider.Localhost => this with { PrimaryPort = Port() },
            "address" when Provider != MembershipProvider.Localhost && IPAddress.TryParse(value, out var address) => this with { Address = address },
            "id" when value.Length > 0 => this with { Id = value },
            "probe" => this with { Probe = TimeSpan.FromSeconds(Number(MaxProbeSeconds, "number of seconds")) },
            "misses" => this with { Misses = Number(MaxMisses, "number of probes") },
            _ => throw new StartException($"--cluster '{text}': '{part}' means nothing here; {Usage}."),
        };

        int Port() => Number(65_535, "port");

        int Number(int most, string what) => int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= 1 && number <= most
            ? number
            : throw new StartException($"--cluster '{text}': '{part}' is no {what}; {Usage}.");
    }
}
