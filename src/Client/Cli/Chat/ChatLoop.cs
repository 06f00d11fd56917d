using LServe.Cli.Terminal;
using LServe.Client;
using LServe.Contracts;

namespace LServe.Cli.Chat;

/// <summary>Reads a message, shows the answer, until the input ends or the person leaves.</summary>
internal sealed class ChatLoop(ISessionClient client, ChatOptions options, Screen screen, LineReader input, Interrupts interrupts)
{
    private const string Help =
        """
        /reset   forget the conversation and begin anew
        /stats   figures of the conversation and of the last answer
        /replay  the next message has the conversation read again, which another model or form of KV cache needs
        /help    this list
        /quit    leave; so do Ctrl-D and, at the prompt, Ctrl-C twice
        Text that is pasted in several lines is one message. Ctrl-C stops an answer; what was said until then is kept.
        """;

    private readonly string _session = options.Session ?? "chat-" + Guid.NewGuid().ToString("N")[..12];
    private AnswerStatistics? _last;
    private bool _begun, _replay;

    public async Task RunAsync()
    {
        _begun = options.Session is not null && await client.GetAsync(_session) is not null;
        if (_begun) screen.Note($"going on with '{_session}'");
        while (await NextMessageAsync() is { } message)
        {
            if (message.Trim().Length == 0) continue;
            if (!message.StartsWith('/')) await AnswerAsync(message);
            else if (!await ObeyAsync(message.Trim())) break;
        }
        if (options.Session is null && _begun) await client.DeleteAsync(_session);
    }

    private async Task<string?> NextMessageAsync()
    {
        screen.Prompt();
        try
        {
            return await input.ReadAsync(interrupts.Leave);
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    /// <summary>False when the command is to leave.</summary>
    private async Task<bool> ObeyAsync(string command)
    {
        switch (command)
        {
            case "/quit" or "/exit":
                return false;
            case "/reset":
                if (_begun) await client.DeleteAsync(_session);
                (_begun, _last) = (false, null);
                screen.Note("a new conversation");
                break;
            case "/stats":
                await ShowStatisticsAsync();
                break;
            case "/replay":
                _replay = true;
                screen.Note("the next message has the conversation read again");
                break;
            case "/help":
                screen.WriteLine(Help);
                break;
            default:
                screen.WriteLine($"There is no {command}; /help lists the commands.");
                break;
        }
        return true;
    }

    private async Task AnswerAsync(string message)
    {
        var request = new TurnRequest { Messages = MessagesOf(message), Sampling = options.Sampling, Replay = _replay };
        _replay = false;
        var answer = new AnswerView(screen);
        try
        {
            _last = await answer.ShowAsync(client.SendAsync(_session, request, interrupts.BeginAnswer().Token));
            _begun = true;
        }
        catch (OperationCanceledException)
        {
            _begun = true;
            answer.EndLine();
            screen.Note("stopped");
        }
        catch (LServeException problem)
        {
            answer.EndLine();
            screen.WriteLine("error: " + problem.Message);
        }
        finally
        {
            interrupts.EndAnswer();
        }
    }

    private List<ChatMessage> MessagesOf(string message)
    {
        var messages = new List<ChatMessage>();
        if (!_begun && options.System is { } system) messages.Add(new(ChatMessage.System, system));
        messages.Add(new(ChatMessage.User, message));
        return messages;
    }

    private async Task ShowStatisticsAsync()
    {
        var session = _begun ? await client.GetAsync(_session) : null;
        screen.WriteLine(session is null
            ? "Nothing was said yet."
            : $"{session.Id}: {session.Model}, {session.Tokens} tokens in {session.Turns} {(session.Turns == 1 ? "turn" : "turns")}, {session.CachedTokens} of them with keys and values in memory");
        if (_last is not null) screen.WriteLine(_last.ToString());
    }
}
