using LServe.Tests.EndToEnd;

namespace LServe.Tests.Cluster;

/// <summary>What a silo says that can't join its cluster.</summary>
public class ClusterOptionTests
{
    private const int Limit = 120_000;
    private const string Password = "secret-word";

    [Theory(Timeout = Limit)]
    [InlineData("names no provider", "nowhere")]
    [InlineData("LSERVE_CLUSTER_CONNECTION", "adonet")]
    [InlineData("is no number of seconds", "localhost,probe=soon")]
    [InlineData("is no port", "localhost,silo=70000")]
    [InlineData("means nothing here", "azure,primary=11111", "UseDevelopmentStorage=true")]
    [InlineData("is no address of this machine", "azure,address=192.0.2.1", "UseDevelopmentStorage=true")]
    [InlineData("connection string", "azure", Password)]
    [InlineData("connection string", "adonet", Password)]
    [InlineData("the database with the cluster's members can't be used", "adonet,silo=PORT,gateway=PORT", "Host=127.0.0.1;Port=1;Username=u;Password=" + Password)]
    public async Task ASiloThatCannotJoinSaysWhyInOneLine(string says, string cluster, string connection = "")
    {
        while (cluster.Contains("PORT")) cluster = cluster[..cluster.IndexOf("PORT")] + SiloProcess.FreePort() + cluster[(cluster.IndexOf("PORT") + 4)..];

        var (code, _, errors) = await ServerProcess.RunToEndAsync(["--cluster", cluster, "--port", "0"], ("LSERVE_CLUSTER_CONNECTION", connection));

        Assert.Equal(2, code);
        Assert.Contains(says, errors);
        Assert.DoesNotContain(Password, errors);
        Assert.Single(errors.TrimEnd().Split('\n'), line => line.StartsWith("lserve serve: ", StringComparison.Ordinal));
    }
}
