namespace LServe.Tests.Crash;

/// <summary>A client that says its script, repeats what it got no answer to, and holds the server to what it was told.</summary>
internal sealed class CrashClient(int client, Script script)
{
    private int _conversation, _turn;
    private bool _inProgress;

    public int Acknowledged { get; private set; }
    public int Cut { get; private set; }
    public int CommittedUnread { get; private set; }

    private string Session => $"c{client}-{_conversation}";

    /// <summary>Talks until the server goes away.</summary>
    public async Task TalkAsync(HttpClient http)
    {
        try
        {
            while (true)
            {
                _inProgress = true;
                var (text, repeated) = await TurnCall.SendAsync(http, Session, $"t{_turn}", Script.Says(client, _turn));
                Assert.Equal(script.Answer(client, _turn), text);
                if (repeated) CommittedUnread++;
                Acknowledge();
            }
        }
        catch (Exception gone) when (gone is HttpRequestException or IOException or OperationCanceledException)
        {
            if (_inProgress) Cut++;
        }
    }

    /// <summary>After a restart: the turns that were acknowledged are there, and at most the one that was in progress beside them.</summary>
    public async Task CheckAsync(HttpClient http)
    {
        var kept = await TurnCall.AnswersAsync(http, Session) ?? [];
        Assert.True(
            kept.Length == _turn || (_inProgress && kept.Length == _turn + 1),
            $"{Session}: {_turn} turns were acknowledged, {(_inProgress ? "one was in progress" : "none was in progress")}, {kept.Length} are kept.");
        Assert.Equal(Enumerable.Range(0, kept.Length).Select(turn => script.Answer(client, turn)), kept);
    }

    private void Acknowledge()
    {
        Acknowledged++;
        _inProgress = false;
        if (++_turn < Script.Turns) return;
        (_turn, _conversation) = (0, _conversation + 1);
    }
}
