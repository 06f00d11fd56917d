using LServe.Api.Http;
using LServe.Api.Turns;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace LServe.Api;

/// <summary>Puts the whole HTTP surface into an ASP.NET application, over whatever <c>ISessionHost</c> its services hold.</summary>
public static class LServeApi
{
    public static IServiceCollection AddLServeApi(this IServiceCollection services, ApiOptions? options = null)
    {
        services.AddRouting();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(options ?? new ApiOptions());
        services.AddSingleton<ApiServices>();
        return services;
    }

    public static void MapLServeApi(this IEndpointRouteBuilder app)
    {
        var api = app.ServiceProvider.GetRequiredService<ApiServices>();
        var turns = new TurnRunner(api);
        var routes = new Routes(app, api);
        new ChatCompletionsEndpoint(api, turns).Map(routes);
        new CompletionsEndpoint(api, turns).Map(routes);
        new ModelsEndpoint(api).Map(routes);
        new SessionsEndpoint(api).Map(routes);
        new SessionFilesEndpoint(api).Map(routes);
        new SessionTurnsEndpoint(api, turns).Map(routes);
        new HealthEndpoints(api).Map(routes);
        new MetricsEndpoint(api).Map(routes);
        new StatsEndpoint(api).Map(routes);
        new DashboardEndpoint(api).Map(routes);
        ChatPageEndpoint.Map(routes);
        routes.MapFallback();
    }
}
