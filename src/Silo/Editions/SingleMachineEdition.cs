using LServe.Embedded;
using LServe.Sessions;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace LServe.Silo;

/// <summary>The edition that builds with the .NET SDK alone: all sessions in this process.</summary>
internal static class Edition
{
    public const string Name = "single-machine";

    /// <summary>How long answers in progress may go on after the server was told to stop; then they end as sent.</summary>
    public static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(5);

    /// <summary>Refuses options that need the other edition.</summary>
    public static void Check(SiloOptions options)
    {
        if (options.Cluster is not null)
            throw new StartException(
                "--cluster needs the cluster edition and this is the single-machine one; where the Orleans packages restore, './lserve --edition cluster' gets it.");
    }

    /// <summary>Nothing goes wrong at start that only this edition knows.</summary>
    public static StartException? Explain(Exception failure) => null;

    /// <summary>Nothing is done to requests on their way to the API.</summary>
    public static void Use(WebApplication app)
    {
    }

    /// <summary>Registers the host of the sessions; their <see cref="SessionEnvironment"/> is a service already.</summary>
    public static void Configure(WebApplicationBuilder builder, SiloOptions options) =>
        builder.Services.AddSingleton<ISessionHost>(services => new EmbeddedSessionHost(services.GetRequiredService<SessionEnvironment>()));
}
