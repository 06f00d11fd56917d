using LServe.Sessions;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Configuration;
using Orleans.Hosting;

namespace LServe.Grains;

public static class SessionSiloExtensions
{
    /// <summary>
    /// Makes this silo host sessions; a <see cref="SessionEnvironment"/> must be among its services. All its grains share the
    /// environment's engine, and only await what it produces; the engine stays the caller's to dispose, after the silo has stopped. The
    /// silo's services then offer an <see cref="ISessionHost"/>.
    /// </summary>
    public static ISiloBuilder AddLServeSessions(this ISiloBuilder silo, SessionGrainOptions? options = null)
    {
        options ??= new();
        silo.Services
            .AddSingleton(options)
            .AddSingleton<ActiveSessions>()
            .AddSingleton<SiloReporter>()
            .AddSingleton<ISiloServiceClient, SiloServiceClient>()
            .AddSingleton<CapacityBoard>()
            .AddHostedService(services => services.GetRequiredService<CapacityBoard>())
            .AddHostedService<SiloNaming>()
            .AddHostedService<SessionDrain>()
            .AddSingleton<SessionBalance>()
            .AddHostedService(services => services.GetRequiredService<SessionBalance>())
            .AddSingleton<ISessionHost>(services => CreateHost(services, services.GetRequiredService<IGrainFactory>()))
            .Configure<GrainCollectionOptions>(o => o.ClassSpecificCollectionAge[typeof(SessionGrain).FullName!] = options.IdleTimeout);
        silo.AddGrainService<SiloService>();
        silo.AddPlacementDirector<SessionPlacement, SessionPlacementDirector>();
        return silo;
    }

    /// <summary>A host that reaches its grains in another way than directly, such as through a gateway.</summary>
    /// <param name="services">Those of a silo with sessions.</param>
    public static ISessionHost CreateHost(IServiceProvider services, IGrainFactory grains) => new OrleansSessionHost(
        grains, services.GetRequiredService<SessionEnvironment>(), services.GetRequiredService<SessionGrainOptions>(),
        services.GetRequiredService<ActiveSessions>(), services.GetRequiredService<CapacityBoard>());
}
