using LServe.Contracts;
using LServe.Grains;
using LServe.Sessions;
using LServe.Tests.Contracts;
using Microsoft.Extensions.DependencyInjection;

namespace LServe.Tests.Cluster;

/// <summary>A silo that is told to stop, with sessions in the middle of things.</summary>
public class DrainTests
{
    private const int Limit = 120_000;
    private const int Sessions = 24;
    private const string Tenant = "t";

    [Fact(Timeout = Limit)]
    public async Task ASiloThatStopsLeavesItsSessionsToTheOthersWithTheirPages()
    {
        var fixture = new StoredClusterFixture();
        await fixture.InitializeAsync();
        try
        {
            Assert.Equal(3, (await fixture.Host.ReportAsync()).Count);
            await Task.WhenAll(Enumerable.Range(0, Sessions).Select(i => SayAsync(fixture, i, "hello")));
            var before = await PlacesAsync(fixture);
            var leaving = fixture.Silos[^1];
            var name = leaving.ServiceProvider.GetRequiredService<SessionEnvironment>().Activity.Silo.Name;
            Assert.Contains(name, before);

            await fixture.StopAsync(leaving);

            var answers = await Task.WhenAll(Enumerable.Range(0, Sessions).Select(i => SayAsync(fixture, i, "and now?")));
            Assert.All(answers, answer => Assert.Equal(0, answer.Usage.RecomputedTokens));
            Assert.All(answers, answer => Assert.Equal(0, answer.Usage.RestoredTokens));
            Assert.DoesNotContain(name, await PlacesAsync(fixture));
            foreach (var i in Enumerable.Range(0, Sessions)) Assert.Equal(2, (await fixture.Host.GetAsync(Key(i)))!.Turns);
            var reports = await fixture.Host.ReportAsync();
            Assert.Equal(before.Count(place => place == name), reports.Sum(report => report.MigrationsIn));
        }
        finally
        {
            await fixture.DisposeAsync();
        }
    }

    [Fact(Timeout = Limit)]
    public async Task ATurnInProgressEndsBeforeItsSiloDoesAndItsReaderSeesAll()
    {
        var fixture = new StoredClusterFixture();
        await fixture.InitializeAsync();
        try
        {
            var whole = await Answer.ReadAsync(fixture.Host.RunAsync(Tenant, Say("hello", tokens: 40)));
            var key = await KeyOnAsync(fixture, fixture.Silos[^1]);
            var events = new List<TurnEvent>();
            Task stopping;
            using (fixture.Gate.Close())
            {
                await using var turn = fixture.Host.SendAsync(key, Say("hello", tokens: 40)).GetAsyncEnumerator();
                await turn.MoveNextAsync();
                stopping = fixture.StopAsync(fixture.Silos[^1]);
                fixture.Gate.Open();
                do events.Add(turn.Current);
                while (await turn.MoveNextAsync());
            }
            await stopping;
            Assert.Equal((whole.Text, whole.Completed.Reason), (new Answer(events).Text, new Answer(events).Reason));
            Assert.Equal(1, (await fixture.Host.GetAsync(key))!.Turns);
        }
        finally
        {
            await fixture.DisposeAsync();
        }
    }

    private static SessionKey Key(int i) => new(Tenant, "s" + i);

    private static TurnRequest Say(string text, int tokens = 8) => new()
    {
        Messages = [new(ChatMessage.User, text)], Sampling = new() { Temperature = 0, MaxTokens = tokens, IgnoreEnd = true },
    };

    private static Task<Answer> SayAsync(ClusterFixture fixture, int i, string text) => Answer.ReadAsync(fixture.Host.SendAsync(Key(i), Say(text)));

    private static async Task<string?[]> PlacesAsync(ClusterFixture fixture) =>
        await Task.WhenAll(Enumerable.Range(0, Sessions).Select(async i => (await fixture.Grain(Key(i)).LocateAsync()).Silo));

    /// <summary>A session that is new and on that silo.</summary>
    private static async Task<SessionKey> KeyOnAsync(ClusterFixture fixture, Orleans.TestingHost.InProcessSiloHandle silo)
    {
        var name = silo.ServiceProvider.GetRequiredService<SessionEnvironment>().Activity.Silo.Name;
        for (var i = 0; ; i++)
            if ((await fixture.Grain(new(Tenant, "new" + i)).LocateAsync()).Silo == name)
                return new(Tenant, "new" + i);
    }
}
