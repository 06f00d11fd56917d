using Spectre.Console;

namespace LServe.Cli.Terminal;

/// <summary>Where tables go: a terminal gets colours and its own width, a file or pipe plain text that isn't wrapped.</summary>
internal static class Tables
{
    private const int WidthOfFiles = 240;

    public static IAnsiConsole Output { get; } = Create();

    private static IAnsiConsole Create()
    {
        if (!Console.IsOutputRedirected) return AnsiConsole.Console;
        var plain = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors });
        plain.Profile.Width = WidthOfFiles;
        return plain;
    }
}
