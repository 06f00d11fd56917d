using System.Net.Sockets;
using LServe.Grains;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Hosting;

namespace LServe.Silo;

/// <summary>The edition with Orleans: this process is a silo, and its API reaches sessions wherever they are.</summary>
internal static class Edition
{
    public const string Name = "cluster";

    /// <summary>Time from being told to stop to having stopped; the sessions leave in its first half.</summary>
    public static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(28);

    /// <summary>
    /// How long answers in progress may go on after the server was told to stop: as long as sessions may take to leave. Some are of sessions on other silos,
    /// which must not hold this one.
    /// </summary>
    private static readonly TimeSpan s_answerPatience = TimeSpan.FromSeconds(16);

    /// <summary>Refuses options that can't work.</summary>
    public static void Check(SiloOptions options)
    {
        ClusterMembership.Of(options).Check();
        CheckListen(ListenAddress.Of(options));
    }

    /// <summary>Registers the host of the sessions; their <c>SessionEnvironment</c> is a service already.</summary>
    public static void Configure(WebApplicationBuilder builder, SiloOptions options)
    {
        var membership = ClusterMembership.Of(options);
        // It takes the machine's uptime for the age of its first check, and warns of it at every start.
        builder.Logging.AddFilter("Orleans.Runtime.Watchdog", LogLevel.Error);
        builder.UseOrleans(silo =>
        {
            ClusterProviders.Apply(silo, membership);
            silo.AddLServeSessions();
        });
    }

    /// <summary>What to tell when the silo couldn't join its cluster, or null when it failed for another reason.</summary>
    public static StartException? Explain(Exception failure) => ClusterProblems.Explain(failure);

    /// <summary>Cuts connections that outstay a stop; their clients resume the turn by its id elsewhere.</summary>
    public static void Use(WebApplication app)
    {
        var cut = new CancellationTokenSource();
        app.Lifetime.ApplicationStopping.Register(() => cut.CancelAfter(s_answerPatience));
        app.Use(async (http, next) =>
        {
            using var registration = cut.Token.Register(http.Abort);
            await next(http);
        });
    }

    /// <summary>Tries the API's port before the silo starts, which leaves a start that is broken off with much to say.</summary>
    private static void CheckListen(ListenAddress address)
    {
        try
        {
            using var probe = new TcpListener(address.Ip, address.Port);
            probe.Start();
        }
        catch (SocketException problem)
        {
            Exception failure = problem.SocketErrorCode == SocketError.AddressAlreadyInUse ? new AddressInUseException(problem.Message, problem) : problem;
            throw address.Explain(failure) ?? new StartException($"{address.Ip} can't be listened on: {problem.Message}", problem);
        }
    }
}
