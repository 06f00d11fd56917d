using System.CommandLine;
using System.Globalization;
using LServe.Cli.Terminal;
using LServe.Contracts;
using Spectre.Console;

namespace LServe.Cli;

/// <summary><c>lserve sessions</c>: the conversations a server keeps.</summary>
internal static class SessionsCommand
{
    /// <summary>Sessions: most that a list shows.</summary>
    private const int ListLimit = 100;

    public static Command Create() => new("sessions", "List, show and delete the conversations a server keeps") { CreateList(), CreateShow(), CreateDelete() };

    private static Command CreateList()
    {
        var url = CommonOptions.Url();
        var command = new Command("list", "The most recently used sessions") { url };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = CommonOptions.Connect(parsed.GetValue(url));
            var sessions = await client.ListAsync(ListLimit, cancellation);
            if (sessions.Count == 0) Console.WriteLine("The server keeps no sessions yet.");
            else Tables.Output.Write(Table(sessions));
        });
        return command;
    }

    private static Command CreateShow()
    {
        var url = CommonOptions.Url();
        var name = new Argument<string>("session") { Description = "Name of the session" };
        var command = new Command("show", "A session's figures and messages") { name, url };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = CommonOptions.Connect(parsed.GetValue(url));
            var session = await client.GetAsync(parsed.GetValue(name)!, cancellation) ?? throw Missing(parsed.GetValue(name)!);
            Tables.Output.Write(Table([session]));
            foreach (var message in session.Messages)
            {
                Tables.Output.MarkupLine($"\n[bold]{Markup.Escape(message.Role)}[/]");
                Console.WriteLine(message.Content);
            }
        });
        return command;
    }

    private static Command CreateDelete()
    {
        var url = CommonOptions.Url();
        var names = new Argument<string[]>("sessions") { Description = "Names of sessions", Arity = ArgumentArity.OneOrMore };
        var command = new Command("delete", "Forget sessions and free their pages") { names, url };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = CommonOptions.Connect(parsed.GetValue(url));
            foreach (var name in parsed.GetValue(names)!)
            {
                if (!await client.DeleteAsync(name, cancellation)) throw Missing(name);
                Console.WriteLine($"deleted {name}");
            }
        });
        return command;
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

    private static UsageException Missing(string name) => new($"There is no session '{name}'; ./lserve sessions list shows those there are.");
}
