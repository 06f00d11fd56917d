using LServe.Embedded;
using LServe.Sessions;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace LServe.Silo;

/// <summary>The edition with Orleans.</summary>
internal static class Edition
{
    public const string Name = "cluster";

    /// <summary>Refuses options that need the other edition.</summary>
    public static void Check(SiloOptions options)
    {
    }

    /// <summary>Registers the host of the sessions; their <see cref="SessionEnvironment"/> is a service already.</summary>
    public static void Configure(WebApplicationBuilder builder, SiloOptions options) =>
        builder.Services.AddSingleton<ISessionHost>(services => new EmbeddedSessionHost(services.GetRequiredService<SessionEnvironment>()));
}
