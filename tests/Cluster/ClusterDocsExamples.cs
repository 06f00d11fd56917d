using LServe.Client;
using LServe.Contracts;

namespace LServe.Tests.Cluster;

/// <summary>The documents' examples of the cluster client, where the compiler reads them; a rule of tests/Tidy compares the two.</summary>
internal static class ClusterDocsExamples
{
    public static async Task ClusterAsync()
    {
        await using var client = await LServeClusterClient.ConnectAsync();
        await foreach (var happened in client.SendAsync("trip", "What should I pack?"))
            if (happened is TextDelta delta)
                Console.Write(delta.Text);
    }
}
