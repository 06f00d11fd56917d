using System.CommandLine;
using System.Globalization;
using LServe.Cli.Terminal;
using LServe.Client;
using LServe.Contracts;
using Spectre.Console;

namespace LServe.Cli.Sessions;

/// <summary><c>lserve sessions</c>: the conversations that a server keeps, or a folder without one.</summary>
internal static class SessionsCommand
{
    /// <summary>Sessions: most that a list shows.</summary>
    private const int ListLimit = 100;

    private static readonly Dictionary<string, AttentionKind> s_attention = new() { ["dense"] = AttentionKind.Dense, ["lserve"] = AttentionKind.LServe };

    public static Command Create() => new("sessions", "List, show, fork, rewind, export, import and delete kept conversations")
    {
        CreateList(), CreateShow(), CreateFork(), CreateRewind(), SessionFiles.CreateExport(), SessionFiles.CreateImport(), CreateDelete(),
    };

    /// <summary>A command that works on kept sessions.</summary>
    public static Command On(Command command, Func<ParseResult, ISessionArchive, CancellationToken, Task> work)
    {
        var door = new SessionDoor();
        door.AddTo(command);
        command.SetAction((parsed, cancellation) => door.RunAsync(parsed, archive => work(parsed, archive, cancellation), cancellation));
        return command;
    }

    public static Argument<string> Name(string description = "Name of the session", string name = "session") => new(name) { Description = description };

    public static UsageException Missing(string name) => new($"There is no session '{name}'; ./lserve sessions list shows those there are.");

    private static Command CreateList() => On(new("list", "The most recently used sessions"), async (_, archive, cancellation) =>
    {
        var sessions = await archive.ListAsync(ListLimit, cancellation);
        if (sessions.Count == 0) Console.WriteLine("No sessions are kept yet.");
        else Tables.Output.Write(Table(sessions));
    });

    private static Command CreateShow()
    {
        var name = Name();
        return On(new("show", "A session's figures and messages") { name }, async (parsed, archive, cancellation) =>
        {
            var session = await archive.GetAsync(parsed.GetValue(name)!, cancellation) ?? throw Missing(parsed.GetValue(name)!);
            Tables.Output.Write(Table([session]));
            foreach (var message in session.Messages)
            {
                Tables.Output.MarkupLine($"\n[bold]{Markup.Escape(message.Role)}[/]");
                Console.WriteLine(message.Content);
            }
            if (session.Interrupted is not { } cut) return;
            Tables.Output.MarkupLine($"\n[bold]interrupted[/] (turn {Markup.Escape(cut.TurnId)}; send it again for all of it)");
            Console.WriteLine(cut.Text);
        });
    }

    private static Command CreateFork()
    {
        var (name, to) = (Name(), Name("Name of the new session", "new"));
        var turn = new Option<int?>("--turn") { Description = "The turn after which it is to begin, from 1. Default: the last", HelpName = "N" };
        var attention = new Option<string?>("--attention") { Description = "How it attends: dense or lserve; its next turn then computes its tokens again. Default: as this one" };
        attention.AcceptOnlyFromAmong(s_attention.Keys.ToArray());
        return On(new("fork", "Begin another session as this one is, or was") { name, to, turn, attention }, async (parsed, archive, cancellation) =>
        {
            AttentionKind? kind = parsed.GetValue(attention) is { } text ? s_attention[text] : null;
            var fork = await archive.ForkAsync(parsed.GetValue(name)!, parsed.GetValue(to)!, parsed.GetValue(turn), kind, cancellation) ?? throw Missing(parsed.GetValue(name)!);
            Console.WriteLine($"{fork.Id} has {fork.Turns} turns");
        });
    }

    private static Command CreateRewind()
    {
        var name = Name();
        var turn = new Argument<int>("turn") { Description = "The turn to go back to, from 1; those since are forgotten" };
        return On(new("rewind", "Make a session what it was after a turn") { name, turn }, async (parsed, archive, cancellation) =>
        {
            var session = await archive.RewindAsync(parsed.GetValue(name)!, parsed.GetValue(turn), cancellation) ?? throw Missing(parsed.GetValue(name)!);
            Console.WriteLine($"{session.Id} has {session.Turns} turns");
        });
    }

    private static Command CreateDelete()
    {
        var names = new Argument<string[]>("sessions") { Description = "Names of sessions", Arity = ArgumentArity.OneOrMore };
        return On(new("delete", "Forget sessions and free their pages") { names }, async (parsed, archive, cancellation) =>
        {
            foreach (var name in parsed.GetValue(names)!)
            {
                if (!await archive.DeleteAsync(name, cancellation)) throw Missing(name);
                Console.WriteLine($"deleted {name}");
            }
        });
    }

    private static Table Table(IReadOnlyList<SessionInfo> sessions)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumns("session", "model", "turns", "tokens", "in memory", "state", "last used (UTC)");
        foreach (var index in new[] { 2, 3, 4 }) table.Columns[index].RightAligned();
        foreach (var s in sessions)
            table.AddRow([.. new[]
            {
                s.Id, s.Model, Number(s.Turns), Number(s.Tokens), Number(s.CachedTokens), s.State,
                s.LastUsed.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture),
            }.Select(Markup.Escape)]);
        return table;
    }

    private static string Number(int value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
