using LServe.Cli.Chat;
using LServe.Cli.Terminal;
using LServe.Client;
using LServe.Contracts;

namespace LServe.Tests.Unit.Client;

public class ChatLoopTests
{
    [Fact]
    public async Task EveryLineOfAPipeIsAnsweredInOneSession()
    {
        var client = new ScriptedClient();
        var output = await TalkAsync(client, "one\n\ntwo\n");
        Assert.Equal("echo one\necho two\n", output);
        Assert.Equal(["send one", "send two", "delete"], client.Calls);
        Assert.Single(client.Sessions.Distinct());
    }

    [Fact]
    public async Task ANamedSessionIsContinuedAndKept()
    {
        var client = new ScriptedClient { Exists = true };
        await TalkAsync(client, "one\n", new ChatOptions("mine", "be brief", new()));
        Assert.Equal(["send one"], client.Calls);
        Assert.Equal(["mine"], client.Sessions);
    }

    [Fact]
    public async Task TheSystemMessageComesFirstInEachNewConversation()
    {
        var client = new ScriptedClient();
        await TalkAsync(client, "one\ntwo\n/reset\nthree\n", new ChatOptions(null, "be brief", new()));
        Assert.Equal(["send be brief|one", "send two", "delete", "send be brief|three", "delete"], client.Calls);
    }

    [Fact]
    public async Task QuitLeavesAndUnknownCommandsAreNoMessages()
    {
        var client = new ScriptedClient();
        var output = await TalkAsync(client, "/fly\n/quit\none\n");
        Assert.Contains("/help lists", output);
        Assert.Empty(client.Calls);
    }

    [Fact]
    public async Task AFailedTurnIsShownAndTheChatGoesOn()
    {
        var client = new ScriptedClient { FailOn = "one" };
        var output = await TalkAsync(client, "one\ntwo\n");
        Assert.Equal("error: full\necho two\n", output);
    }

    [Fact]
    public async Task APressStopsTheAnswerAndNotTheChat()
    {
        using var interrupts = new Interrupts(() => { });
        var client = new ScriptedClient { BeforeLastDelta = text => { if (text == "one") interrupts.Press(); } };
        var output = await TalkAsync(client, "one\ntwo\n", interrupts: interrupts);
        Assert.Equal("echo \necho two\n", output);
    }

    [Fact]
    public async Task StatisticsTellWhatTheSessionHolds()
    {
        var output = await TalkAsync(new ScriptedClient { Exists = true }, "one\n/stats\n");
        Assert.Contains("40 tokens in 3 turns, 30 of them", output);
        Assert.Contains("2 tokens", output);
    }

    [Fact]
    public void TwoPressesAtThePromptLeave()
    {
        var hints = 0;
        using var interrupts = new Interrupts(() => hints++);
        interrupts.Press();
        Assert.False(interrupts.Leave.IsCancellationRequested);
        interrupts.Press();
        Assert.True(interrupts.Leave.IsCancellationRequested);
        Assert.Equal(1, hints);
    }

    [Fact]
    public async Task PastedLinesAreOneMessage()
    {
        var waiting = new Queue<bool>([true, true, false, false]);
        var reader = new LineReader(new StringReader("a\nb\nc\nd\n"), joins: true, waiting.Dequeue);
        Assert.Equal("a\nb\nc", await reader.ReadAsync(default));
        Assert.Equal("d", await reader.ReadAsync(default));
        Assert.Null(await reader.ReadAsync(default));
    }

    private static async Task<string> TalkAsync(ScriptedClient client, string input, ChatOptions? options = null, Interrupts? interrupts = null)
    {
        var output = new StringWriter();
        using var own = new Interrupts(() => { });
        var reader = new LineReader(new StringReader(input), joins: false, () => false);
        await new ChatLoop(client, options ?? new ChatOptions(null, null, new()), new Screen(output, isTerminal: false), reader, interrupts ?? own).RunAsync();
        return output.ToString();
    }
}
