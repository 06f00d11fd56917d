using System.Diagnostics;
using LServe.Api;
using LServe.Inference;
using LServe.Model;
using LServe.Sessions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace LServe.Silo;

/// <summary>One server from start to stop: model, engine, host of the sessions, HTTP.</summary>
internal static class Server
{
    /// <summary>Connections: most at once.</summary>
    private const int MaxConnections = 4_096;

    /// <exception cref="StartException">The server can't start as it was asked to.</exception>
    public static async Task RunAsync(SiloOptions options)
    {
        var begin = Stopwatch.GetTimestamp();
        var address = ListenAddress.Of(options);
        DataFolder.Check(options.Data);
        using var sessions = await SessionFolder.OpenAsync(options);
        using var model = ModelLocator.Open(options.Model);
        using var engine = EngineFactory.Create(model, options, LoadingBar.ForTerminal());
        var environment = SessionEnvironment.For(model, engine, sessions.Store) with
        {
            Attention = options.Attention, Pages = sessions.Pages, CheckpointEvery = options.CheckpointEvery, SharedStores = options.Store is not null,
        };
        await using var app = Build(options, address, environment);
        Edition.Use(app);
        app.MapLServeApi();
        await ListenAsync(app, address);
        environment.Activity.Silo = address.Identify(AddressOf(app));
        sessions.Announce(AddressOf(app));
        Announce(app, model, engine, Stopwatch.GetElapsedTime(begin));
        if (!address.IsLocal)
            Console.Error.WriteLine($"lserve serve: everybody who reaches {address.Ip} may use this server; it asks for no key.");
        if (await Task.WhenAny(app.WaitForShutdownAsync(), engine.Lost) != engine.Lost) return;
        await app.StopAsync();
        throw new StartException($"the device is lost: {(await engine.Lost).Message} Sessions are saved; start the server again.", await engine.Lost);
    }

    private static WebApplication Build(SiloOptions options, ListenAddress address, SessionEnvironment environment)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.SetMinimumLevel(options.LogLevel);
        // What it says of a failed start, this program says in one line.
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
        builder.Logging.AddSimpleConsole(console => console.SingleLine = true);
        builder.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(
            console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = Edition.StopPatience);
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = MaxConnections;
            address.Apply(kestrel);
        });
        builder.Services.AddSingleton(environment);
        Edition.Configure(builder, options);
        builder.Services.AddLServeApi();
        return builder.Build();
    }

    private static async Task ListenAsync(WebApplication app, ListenAddress address)
    {
        try
        {
            await app.StartAsync();
        }
        catch (Exception failure) when ((address.Explain(failure) ?? Edition.Explain(failure)) is { } explanation)
        {
            throw explanation;
        }
    }

    private static Uri AddressOf(WebApplication app) =>
        new(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    /// <param name="took">Time from the program's first line; the process itself is older, since the front door became it.</param>
    private static void Announce(WebApplication app, ModelFile model, Engine engine, TimeSpan took)
    {
        Console.WriteLine(FormattableString.Invariant(
            $"Ready at {AddressOf(app)} after {took.TotalSeconds:F2} s: {model.Config.Name}, {engine.Backend.Name}, context {engine.Options.ContextLength} tokens, {Edition.Name} edition"));
        Console.WriteLine(new MemoryPlan(engine.Geometry));
    }
}
