using Azure.Data.Tables;
using Npgsql;
using Orleans.Configuration;
using Orleans.Hosting;

namespace LServe.Silo;

/// <summary>Tells Orleans where the silos of the cluster find each other.</summary>
internal static class ClusterProviders
{
    /// <summary>The ADO.NET provider of PostgreSQL.</summary>
    private const string Postgres = "Npgsql";

    /// <exception cref="StartException">What was given for the server can't be read.</exception>
    public static void Apply(ISiloBuilder silo, ClusterMembership membership)
    {
        if (membership.Provider == MembershipProvider.Localhost)
            silo.UseLocalhostClustering(membership.SiloPort, membership.GatewayPort, membership.Primary, membership.Id, membership.Id);
        else
            Join(silo, membership);
        silo.Configure<ClusterMembershipOptions>(o => (o.ProbeTimeout, o.NumMissedProbesLimit) = (membership.Probe, membership.Misses));
    }

    private static void Join(ISiloBuilder silo, ClusterMembership membership)
    {
        silo.Configure<ClusterOptions>(o => (o.ClusterId, o.ServiceId) = (membership.Id, membership.Id));
        silo.ConfigureEndpoints(membership.Address, membership.SiloPort, membership.GatewayPort);
        if (membership.Provider == MembershipProvider.AdoNet)
            silo.UseAdoNetClustering(o => (o.Invariant, o.ConnectionString) = (Postgres, DatabaseOf(membership)));
        else
            silo.UseAzureStorageClustering(o => o.TableServiceClient = TablesOf(membership));
    }

    private static string DatabaseOf(ClusterMembership membership)
    {
        try
        {
            return new NpgsqlConnectionStringBuilder(membership.Connection).ConnectionString;
        }
        catch (ArgumentException problem)
        {
            throw new StartException($"--cluster-connection isn't what PostgreSQL's .NET library calls a connection string, such as 'Host=db;Username=lserve;Database=lserve'.", problem);
        }
    }

    private static TableServiceClient TablesOf(ClusterMembership membership)
    {
        try
        {
            return new TableServiceClient(membership.Connection);
        }
        // The library's own words may repeat a secret.
        catch (Exception problem) when (problem is FormatException or ArgumentException or InvalidOperationException)
        {
            throw new StartException($"--cluster-connection isn't what Azure Storage calls a connection string, such as 'AccountName=…;AccountKey=…' or 'UseDevelopmentStorage=true'.", problem);
        }
    }
}
