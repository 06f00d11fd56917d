using System.Net.Http.Json;
using System.Text.RegularExpressions;
using LServe.Tests.EndToEnd;
using LServe.Tests.Support;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace LServe.Tests.Browser;

/// <summary>The dashboard as an operator watches it.</summary>
public sealed class DashboardTests(Chromium chromium) : IClassFixture<Chromium>
{
    private readonly List<string> _problems = [];

    [ChromiumFact]
    public async Task AConversationShowsUpWithItsPagesAndItsSpeed()
    {
        var page = await chromium.OpenAsync(_problems, new(chromium.Http.BaseAddress!, "dashboard"));
        await Expect(page.Locator("#state")).ToHaveTextAsync("live");
        await Expect(page.Locator(".card")).ToHaveCountAsync(1);
        var turn = SayAsync("watched <i>one");

        await Expect(Fact(page, "Running")).ToHaveTextAsync("1");
        await Expect(Fact(page, "Sessions")).ToHaveTextAsync(new Regex("^[1-9]"));
        await Expect(page.GetByRole(AriaRole.Meter, new() { Name = "retrieval heads, memory" })).ToHaveAttributeAsync("aria-valuenow", new Regex("^[0-9]+$"));
        await chromium.Http.PostAsync($"v1/sessions/{Uri.EscapeDataString("watched <i>one")}/cancel", null);
        await turn;
        var row = page.Locator("#sessions tbody tr", new() { HasText = "watched <i>one" });
        await Expect(row.Locator(".state")).ToHaveTextAsync("idle");
        await Expect(row.Locator("td").Nth(2)).ToHaveTextAsync("1");
        Assert.Empty(_problems);
    }

    [ChromiumFact]
    public async Task ItAsksNobodyElseAndPausesAndGoesOn()
    {
        var page = await chromium.OpenAsync(_problems, new(chromium.Http.BaseAddress!, "dashboard"));
        var asked = new List<string>();
        page.Request += (_, request) => asked.Add(request.Url);
        await page.ReloadAsync();
        await page.WaitForRequestAsync(request => request.Url.EndsWith("/dashboard/feed"));
        await page.GetByRole(AriaRole.Button, new() { Name = "Pause" }).ClickAsync();
        await Expect(page.Locator("#state")).ToHaveTextAsync("paused");
        await page.GetByRole(AriaRole.Button, new() { Name = "Go on" }).ClickAsync();
        await Expect(page.Locator("#state")).ToHaveTextAsync("live");

        Assert.All(asked, url => Assert.True(url.StartsWith(chromium.Http.BaseAddress!.ToString()) || url.StartsWith("data:"), url));
        await page.GetByRole(AriaRole.Link, new() { Name = "Chat" }).ClickAsync();
        await Expect(page.Locator("#composer")).ToBeVisibleAsync();
        Assert.Empty(_problems);
    }

    [ChromiumFact]
    public async Task ItSaysThatTheServerIsGone()
    {
        using var model = new TemporaryFile(TinyModel.Bytes());
        await using var server = await ServerProcess.StartAsync("--model", model.Path, "--threads", "1", "--session-dir", "none");
        var page = await chromium.OpenAsync(_problems, new(server.Address, "dashboard"));
        await server.KillAsync();

        await Expect(page.Locator("#state")).ToHaveTextAsync("connection lost, trying again", new() { Timeout = 20_000 });
        await Expect(page.Locator(".card")).ToHaveCountAsync(1);
    }

    private static ILocator Fact(IPage page, string name) =>
        page.Locator(".card dl > div").Filter(new() { Has = page.GetByText(name, new() { Exact = true }) }).Locator("dd");

    /// <summary>A turn that goes on until it is stopped, or the context is full.</summary>
    private async Task SayAsync(string session)
    {
        using var reply = await chromium.Http.PostAsJsonAsync("v1/chat/completions", new
        {
            model = "default", stream = true, ignore_eos = true, messages = new[] { new { role = "user", content = "Hello" } }, metadata = new { session_id = session },
        });
        Assert.True(reply.IsSuccessStatusCode, await reply.Content.ReadAsStringAsync());
    }
}
