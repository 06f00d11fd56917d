namespace LServe.Cli.Terminal;

/// <summary>Standard output, with colour where it is a terminal.</summary>
internal sealed class Screen(TextWriter output, bool isTerminal)
{
    public static Screen OfConsole() => new(Console.Out, !Console.IsOutputRedirected);

    public void Prompt()
    {
        if (isTerminal) Write("\e[1;36m›\e[0m ");
    }

    public void Write(string text)
    {
        output.Write(text);
        output.Flush();
    }

    public void WriteLine(string text = "") => Write(text + "\n");

    /// <summary>A line beside the conversation: shown to people, not to a program that reads the answers.</summary>
    public void Note(string text)
    {
        if (isTerminal) WriteLine($"\e[2m{text}\e[0m");
    }
}
