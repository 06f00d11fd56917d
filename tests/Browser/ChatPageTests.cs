using System.Text.Json.Nodes;
using LServe.Tests.EndToEnd;
using LServe.Tests.Support;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace LServe.Tests.Browser;

/// <summary>The chat page as its users use it.</summary>
public sealed class ChatPageTests(Chromium chromium) : IClassFixture<Chromium>
{
    private readonly List<string> _problems = [];

    [ChromiumFact]
    public async Task AMessageIsAnsweredWordByWord()
    {
        var page = await chromium.OpenAsync(_problems);
        await SendAsync(page, "Hello <b>there</b>");

        await Expect(page.Locator(".user")).ToContainTextAsync("Hello <b>there</b>");
        await page.Locator(".caret").WaitForAsync();
        await Expect(page.GetByLabel("Stop the answer")).ToBeVisibleAsync();
        await EndAsync(page);
        Assert.NotEqual("", await AnswerAsync(page));
        await Expect(page.Locator(".meta")).ToContainTextAsync("tokens/s");
        await Expect(page.Locator("#stats")).ToContainTextAsync("tokens kept");
        await Expect(page.Locator("#input")).ToBeFocusedAsync();
        Assert.Empty(_problems);
    }

    [ChromiumFact]
    public async Task StoppingKeepsWhatWasShownAndTheConversationGoesOn()
    {
        var page = await chromium.OpenAsync(_problems);
        await SendAsync(page, "Tell me a long story");
        await page.Locator(".caret").WaitForAsync();
        await StopAsync(page);

        await Expect(page.Locator(".meta")).ToContainTextAsync("stopped");
        var session = await page.EvaluateAsync<string>("localStorage.getItem('lserve.session')");
        var kept = JsonNode.Parse(await chromium.Http.GetStringAsync($"v1/sessions/{session}"))!;
        Assert.Equal("idle", (string?)kept["state"]);
        Assert.Equal(2, kept["messages"]!.AsArray().Count);

        await SendAsync(page, "Go on");
        await StopAsync(page);
        await Expect(page.Locator(".assistant")).ToHaveCountAsync(2);
        Assert.Empty(_problems);
    }

    [ChromiumFact]
    public async Task AReloadShowsTheConversationAgainAndANewOneBeginsEmpty()
    {
        var page = await chromium.OpenAsync(_problems);
        await SendAsync(page, "Remember this");
        await page.Locator(".caret").WaitForAsync();
        await StopAsync(page);
        var answer = await AnswerAsync(page);
        await page.ReloadAsync();

        await Expect(page.Locator(".user")).ToContainTextAsync("Remember this");
        await Expect(page.Locator("#stats")).ToContainTextAsync("tokens kept");
        Assert.Equal(answer, await AnswerAsync(page));

        await page.GetByRole(AriaRole.Button, new() { Name = "New conversation" }).ClickAsync();
        await Expect(page.Locator("#welcome")).ToBeVisibleAsync();
        await Expect(page.Locator("#log > li")).ToHaveCountAsync(0);
        Assert.Empty(_problems);
    }

    [ChromiumFact]
    public async Task ShiftEnterStartsALineAndASuggestionIsSentAtOnce()
    {
        var page = await chromium.OpenAsync(_problems);
        await page.Locator("#input").FillAsync("one");
        await page.Keyboard.PressAsync("Shift+Enter");
        await page.Keyboard.TypeAsync("two");
        Assert.Equal("one\ntwo", await page.Locator("#input").InputValueAsync());

        await page.Locator("#suggestions button").First.ClickAsync();
        await Expect(page.Locator(".user")).ToContainTextAsync("gravity");
        await StopAsync(page);
        Assert.Empty(_problems);
    }

    [ChromiumFact]
    public async Task AServerThatIsGoneIsSaidAndTheTurnCanBeTriedAgain()
    {
        using var model = new TemporaryFile(TinyModel.Bytes());
        IPage page;
        await using (var server = await ServerProcess.StartAsync("--model", model.Path, "--threads", "1"))
            page = await chromium.OpenAsync(_problems, server.Address);
        await SendAsync(page, "Anybody there?");

        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("can't be reached");
        await page.GetByRole(AriaRole.Button, new() { Name = "Try again" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Alert)).ToHaveCountAsync(1);
        await Expect(page.Locator(".user")).ToHaveCountAsync(1);
    }

    private static async Task SendAsync(IPage page, string text)
    {
        await page.GetByLabel("Your message").FillAsync(text);
        await page.Keyboard.PressAsync("Enter");
    }

    private static async Task StopAsync(IPage page)
    {
        await page.GetByLabel("Stop the answer").ClickAsync();
        await EndAsync(page);
    }

    private static Task EndAsync(IPage page) => Expect(page.Locator("#stop")).ToBeHiddenAsync(new() { Timeout = 60_000 });

    private static Task<string> AnswerAsync(IPage page) => page.Locator(".assistant .body").First.InnerTextAsync();
}
