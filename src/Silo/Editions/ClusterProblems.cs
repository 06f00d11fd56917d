using System.Data.Common;
using Azure;

namespace LServe.Silo;

/// <summary>What went wrong between a silo that starts and the table of its cluster's members.</summary>
internal static class ClusterProblems
{
    /// <summary>What to tell, or null when something else went wrong. Never shows the connection.</summary>
    public static StartException? Explain(Exception failure)
    {
        var causes = CausesOf(failure).ToList();
        if (causes.OfType<DbException>().FirstOrDefault() is { } database)
            return new($"the database with the cluster's members can't be used ({FirstLine(database)}); check --cluster-connection, and whether the tables that docs/CLUSTER.md names were made there.", failure);
        if (causes.OfType<RequestFailedException>().FirstOrDefault() is { } table)
            return new($"the table with the cluster's members can't be used ({FirstLine(table)}); check --cluster-connection and the network.", failure);
        return null;
    }

    private static IEnumerable<Exception> CausesOf(Exception failure)
    {
        IEnumerable<Exception> inner = failure is AggregateException several ? several.InnerExceptions : failure.InnerException is { } one ? [one] : [];
        return inner.SelectMany(CausesOf).Prepend(failure);
    }

    private static string FirstLine(Exception failure) => failure.Message.Split('\n')[0].TrimEnd('\r', '.');
}
