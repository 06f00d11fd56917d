using LServe.Grains;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;
using Orleans.Hosting;

namespace LServe.Silo;

/// <summary>The edition with Orleans: this process is a silo, and its API reaches sessions wherever they are.</summary>
internal static class Edition
{
    public const string Name = "cluster";

    /// <summary>Name of the cluster and of its service.</summary>
    private const string ClusterName = "lserve";

    /// <summary>Refuses options that can't work.</summary>
    public static void Check(SiloOptions options) => ClusterMembership.Of(options).Check();

    /// <summary>Registers the host of the sessions; their <c>SessionEnvironment</c> is a service already.</summary>
    public static void Configure(WebApplicationBuilder builder, SiloOptions options)
    {
        var membership = ClusterMembership.Of(options);
        builder.UseOrleans(silo =>
        {
            silo.UseLocalhostClustering(membership.SiloPort, membership.GatewayPort, membership.Primary, ClusterName, ClusterName);
            silo.AddLServeSessions();
        });
    }
}
