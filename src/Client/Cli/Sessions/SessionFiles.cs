using System.CommandLine;

namespace LServe.Cli.Sessions;

/// <summary><c>lserve sessions export</c> and <c>import</c>.</summary>
internal static class SessionFiles
{
    private const string Extension = ".lserve";

    public static Command CreateExport()
    {
        var name = SessionsCommand.Name();
        var file = new Option<string?>("--out") { Description = $"File to write. Default: SESSION{Extension}", HelpName = "FILE" };
        var pages = new Option<bool>("--pages") { Description = "Take the KV pages along, so that they needn't be computed again" };
        return SessionsCommand.On(new("export", "Write a session to a file") { name, file, pages }, async (parsed, archive, cancellation) =>
        {
            var path = parsed.GetValue(file) ?? parsed.GetValue(name) + Extension;
            if (File.Exists(path)) throw new UsageException($"There is a file {path} already; name another with --out.");
            // Under another name until it is whole.
            var aside = path + ".new";
            try
            {
                await using (var to = File.Create(aside))
                    if (!await archive.ExportAsync(parsed.GetValue(name)!, parsed.GetValue(pages), to, cancellation))
                        throw SessionsCommand.Missing(parsed.GetValue(name)!);
                File.Move(aside, path);
            }
            finally
            {
                File.Delete(aside);
            }
            Console.WriteLine($"wrote {path}");
        });
    }

    public static Command CreateImport()
    {
        var file = new Argument<string>("file") { Description = "What export wrote" };
        var name = new Option<string?>("--name") { Description = "Name of the session. Default: the one it had", HelpName = "NAME" };
        return SessionsCommand.On(new("import", "Keep the session that a file holds") { file, name }, async (parsed, archive, cancellation) =>
        {
            await using var from = File.OpenRead(parsed.GetValue(file)!);
            var session = await archive.ImportAsync(parsed.GetValue(name), from, cancellation);
            Console.WriteLine($"{session.Id} has {session.Turns} turns");
        });
    }
}
