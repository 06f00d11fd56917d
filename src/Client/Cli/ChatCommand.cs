using System.CommandLine;
using LServe.Cli.Chat;
using LServe.Cli.Terminal;
using LServe.Contracts;
using LServe.Cpu;

namespace LServe.Cli;

/// <summary><c>lserve chat</c>: a conversation in the terminal.</summary>
internal static class ChatCommand
{
    private static readonly Option<string?> Url = CommonOptions.Url();
    private static readonly Option<string?> Model = CommonOptions.Model();
    private static readonly Option<bool> Local = new("--local") { Description = "Run the model in this process. Default: use the server if one listens on the default port" };
    private static readonly Option<string?> Session = new("--session") { Description = "Name of the conversation, which a server then keeps. Default: one that is forgotten at the end", HelpName = "NAME" };
    private static readonly Option<string?> System = new("--system") { Description = "System message of a new conversation", HelpName = "TEXT" };
    private static readonly Option<float> Temperature = new("--temperature") { Description = "0 (always the likeliest token) to 2", DefaultValueFactory = _ => 0.2f };
    private static readonly Option<float> TopP = new("--top-p") { Description = "Draw from the likeliest tokens that have this much probability together", DefaultValueFactory = _ => 0.9f };
    private static readonly Option<float> FrequencyPenalty = new("--frequency-penalty") { Description = "-2 to 2: how much less likely a token gets each time it is said", DefaultValueFactory = _ => 0.1f };
    private static readonly Option<int?> MaxTokens = new("--max-tokens") { Description = "Longest answer in tokens. Default: what the context leaves" };
    private static readonly Option<long?> Seed = new("--seed") { Description = "Makes the answers repeatable" };
    private static readonly Option<int> Threads = new("--threads") { Description = "With --local: threads that compute. Default: one per core" };
    private static readonly Option<int> Context = new("--context") { Description = "With --local: tokens of the context window. Default: the model's" };
    private static readonly Option<Activations> Activations = new("--activations") { Description = "With --local: what matrix products read their inputs as. Default: float32", HelpName = "float32|int8" };

    public static Command Create()
    {
        var command = new Command("chat", "Talk with a model in this terminal")
        {
            Url, Local, Model, Session, System, Temperature, TopP, FrequencyPenalty, MaxTokens, Seed, Threads, Context, Activations,
        };
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var wish = new ConnectionWish(
            parsed.GetValue(Url), parsed.GetValue(Local), parsed.GetValue(Model), parsed.GetValue(Threads), parsed.GetValue(Context), parsed.GetValue(Activations));
        await using var connection = await Connection.OpenAsync(wish, cancellation);
        var screen = Screen.OfConsole();
        using var interrupts = new Interrupts(() => screen.Note("\nCtrl-C again or /quit leaves"));
        interrupts.Listen();
        var options = new ChatOptions(parsed.GetValue(Session), parsed.GetValue(System), new SamplingOptions
        {
            Temperature = parsed.GetValue(Temperature),
            TopP = parsed.GetValue(TopP),
            FrequencyPenalty = parsed.GetValue(FrequencyPenalty),
            MaxTokens = parsed.GetValue(MaxTokens),
            Seed = parsed.GetValue(Seed),
        });
        screen.Note($"{connection.Description} · /help lists the commands · Ctrl-C stops an answer");
        await new ChatLoop(connection.Client, options, screen, LineReader.OfConsole(), interrupts).RunAsync();
    }
}
