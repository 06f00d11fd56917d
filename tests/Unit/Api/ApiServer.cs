using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using LServe.Api;
using LServe.Sessions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace LServe.Tests.Unit.Api;

/// <summary>The API on a real Kestrel on a free port, over a <see cref="FakeSessionHost"/>.</summary>
internal sealed class ApiServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private ApiServer(WebApplication app, FakeSessionHost host)
    {
        (_app, Host) = (app, host);
        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        Http = new HttpClient { BaseAddress = new Uri(address), Timeout = TimeSpan.FromSeconds(60) };
    }

    public FakeSessionHost Host { get; }

    public HttpClient Http { get; }

    public static async Task<ApiServer> StartAsync(ApiOptions? options = null, TimeProvider? time = null)
    {
        var host = new FakeSessionHost();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Services.AddSingleton<ISessionHost>(host);
        if (time is not null)
            builder.Services.AddSingleton(time);
        builder.Services.AddLServeApi(options);
        var app = builder.Build();
        app.MapLServeApi();
        await app.StartAsync();
        return new ApiServer(app, host);
    }

    public Task<HttpResponseMessage> PostAsync(string path, string json, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(json, Encoding.UTF8, "application/json") };
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        return Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    /// <summary>Posts and gives the body of a reply that must be a 200.</summary>
    public async Task<JsonNode> AskAsync(string path, string json, params (string Name, string Value)[] headers)
    {
        using var response = await PostAsync(path, json, headers);
        var body = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == HttpStatusCode.OK, body);
        return JsonNode.Parse(body)!;
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _app.DisposeAsync();
    }
}
