using System.Net;
using System.Text.Json.Nodes;
using LServe.Contracts;
using LServe.Inference;
using LServe.Sessions;

namespace LServe.Tests.Unit.Api;

/// <summary>The dashboard's page and the feed behind it.</summary>
public sealed class DashboardTests : IAsyncLifetime
{
    private ApiServer _server = null!;

    public async Task InitializeAsync() => _server = await ApiServer.StartAsync();

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task TheFeedHasEverySiloAndTheTenantsSessionsWithoutTheirMessages()
    {
        _server.Host.Reports = [Report("one"), Report("two") with { Draining = true }];
        _server.Host.Sessions["trip"] = new(
            "default", "trip", "fake-model", 100, 40, 3, "running", DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddDays(1), "turn", [new("user", "secret")]);
        var text = await _server.Http.GetStringAsync("/dashboard/feed");
        var feed = JsonNode.Parse(text)!;

        Assert.Equal(["one", "two"], feed["silos"]!.AsArray().Select(s => (string)s!["silo"]!["name"]!));
        var silo = feed["silos"]![1]!;
        Assert.Equal((true, 3, "host", "retrieval", 5), ((bool)silo["draining"]!, (int)silo["activations"]!, (string)silo["kv"]![0]!["tier"]!, (string)silo["kv"]![0]!["pool"]!, (int)silo["kv"]![0]!["used_pages"]!));
        Assert.Equal(("a", 1.5), ((string)silo["tenants"]![0]!["tenant"]!, (double)silo["tenants"]![0]!["tokens_per_second"]!));
        var session = Assert.Single(feed["sessions"]!.AsArray())!;
        Assert.Equal(("trip", "running", 100, 40), ((string)session["id"]!, (string)session["state"]!, (int)session["tokens"]!, (int)session["cached_tokens"]!));
        Assert.Equal("default", (string)feed["tenant"]!);
        Assert.DoesNotContain("secret", text);
    }

    [Fact]
    public async Task SilosAreToldOfWhenTheStoreIsOutOfReach()
    {
        _server.Host.Reports = [Report("one")];
        _server.Host.ListFailure = new SessionStoreException(StoreFailure.Unavailable, "The disk is gone.");
        var feed = JsonNode.Parse(await _server.Http.GetStringAsync("/dashboard/feed"))!;

        Assert.Single(feed["silos"]!.AsArray());
        Assert.Equal("The disk is gone.", (string)feed["problem"]!);
    }

    [Fact]
    public async Task ManyReadersCostNoMoreThanOne()
    {
        _server.Host.Reports = [Report("one")];
        var feeds = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => _server.Http.GetStringAsync("/dashboard/feed")));

        Assert.InRange(_server.Host.ReportsAsked, 1, 19);
        Assert.All(feeds, feed => Assert.Contains("\"one\"", feed));
    }

    [Fact]
    public async Task WhatTheFeedIsNotGivenTo()
    {
        using var limit = await _server.Http.GetAsync("/dashboard/feed?limit=0");
        await ErrorAssert.IsAsync(limit, HttpStatusCode.BadRequest, "invalid_request", "limit");
        using var foreign = new HttpRequestMessage(HttpMethod.Get, "/dashboard/feed");
        foreign.Headers.Add("Origin", "https://elsewhere.example");
        Assert.Equal(HttpStatusCode.Forbidden, (await _server.Http.SendAsync(foreign)).StatusCode);
    }

    [Fact]
    public async Task ThePageLoadsItsOwnFilesAlone()
    {
        using var page = await _server.Http.GetAsync("/dashboard");
        Assert.Contains("default-src 'none'", page.Headers.GetValues("Content-Security-Policy").Single());
        var html = await page.Content.ReadAsStringAsync();
        Assert.DoesNotContain("http", html.Replace("http://www.w3.org/2000/svg", ""));
        foreach (var file in new[] { "dashboard.css", "dashboard.js", "panels.js", "format.js" })
            Assert.Equal(HttpStatusCode.OK, (await _server.Http.GetAsync("/dashboard/" + file)).StatusCode);
        Assert.Equal("/dashboard", (await _server.Http.GetAsync("/dashboard/")).RequestMessage!.RequestUri!.AbsolutePath);
    }

    private static SiloReport Report(string name) => new()
    {
        Silo = new(name, new("http://localhost:1"), "single-machine"), Model = "fake-model", Backend = "fake", Started = DateTimeOffset.UnixEpoch, Uptime = TimeSpan.FromDays(1),
        Activations = 3, Placements = 4, Kv = [new(KvTier.Host, KvPool.Retrieval, 5, 10, 50, 100), new(KvTier.Disk, null, null, null, 7, null)],
        Running = 1, BatchRows = 2, Queued = 0, QueuedTokens = 0, PromptTokens = 10, GeneratedTokens = 20, TokensPerSecond = 1.5, Tenants = [new("a", 1.5)],
    };
}
