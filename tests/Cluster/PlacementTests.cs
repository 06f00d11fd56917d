using LServe.Grains;
using LServe.Inference;
using LServe.Sessions;
using Orleans.Runtime;

namespace LServe.Tests.Cluster;

/// <summary>Which of several silos a session goes to.</summary>
public class PlacementTests
{
    private static readonly SiloReport s_empty = new()
    {
        Silo = new("empty", null, "cluster"), Model = "m", Content = "c", Backend = "b", Started = default, Uptime = default, Activations = 0, Placements = 0,
        Kv = [Pool(used: 0)], Running = 0, BatchRows = 0, Queued = 0, QueuedTokens = 0, PromptTokens = 0, GeneratedTokens = 0, TokensPerSecond = 0, Tenants = [],
    };

    [Fact]
    public void TheSiloThatComputesLeastComesFirst()
    {
        Assert.Equal(2, Roomiest(s_empty with { Kv = [Pool(used: 80, busy: 60)] }, s_empty with { Kv = [Pool(used: 90, busy: 10)] }));
        Assert.Equal(1, Roomiest(s_empty with { Kv = [Pool(used: 90)] }, s_empty with { QueuedTokens = 50_000 }));
    }

    [Fact]
    public void AmongEqualsUnusedPagesCountThenSessions()
    {
        Assert.Equal(2, Roomiest(s_empty with { Kv = [Pool(used: 90)] }, s_empty with { Kv = [Pool(used: 20)], Activations = 7 }));
        Assert.Equal(2, Roomiest(s_empty with { Activations = 8, Kv = [Pool(used: 21)] }, s_empty with { Activations = 7, Kv = [Pool(used: 29)] }));
    }

    [Fact]
    public void TheFullerPoolCounts()
    {
        var streams = s_empty with { Kv = [Pool(used: 10), Pool(used: 95, KvPool.Streaming)] };
        Assert.Equal(2, Roomiest(streams, s_empty with { Kv = [Pool(used: 50), Pool(used: 50, KvPool.Streaming)] }));
    }

    [Fact]
    public void WhatWasPlacedSinceTheReportCounts()
    {
        var views = new[] { View(1, s_empty) with { Placed = 3 }, View(2, s_empty with { Activations = 2 }) };
        Assert.Equal(views[1], SiloChoice.Roomiest(views));
    }

    [Fact]
    public void NoSessionGoesWhereItWouldTakePagesFromATurn()
    {
        var full = s_empty with { Kv = [Pool(used: 10, busy: 10), Pool(used: 96, KvPool.Streaming, busy: 96)] };
        Assert.True(SiloChoice.IsShort(full));
        Assert.Equal(2, Roomiest(full, s_empty with { QueuedTokens = 1_000_000 }));
        Assert.Null(SiloChoice.Roomiest([View(1, full)]));
        Assert.False(SiloChoice.IsShort(s_empty with { Kv = [Pool(used: 100)] }));
    }

    private static KvUsage Pool(int used, KvPool pool = KvPool.Retrieval, int busy = 0) => new(KvTier.Host, pool, used, 100, null, null) { BusyPages = busy };

    private static SiloView View(int number, SiloReport report) => new(SiloAddress.New(System.Net.IPAddress.Loopback, number, 0), report, 0, 0);

    /// <summary>Number of the chosen one, from 1.</summary>
    private static int Roomiest(params SiloReport[] reports) => SiloChoice.Roomiest(reports.Select((report, i) => View(i + 1, report)))!.Address.Endpoint.Port;
}
