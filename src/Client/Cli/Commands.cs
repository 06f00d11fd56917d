using System.CommandLine;
using System.CommandLine.Help;
using LServe.Cli.Sessions;

namespace LServe.Cli;

/// <summary>The commands of this program, named as people call them: through the front door.</summary>
internal static class Commands
{
    public static Command Create() => new("./lserve", "Durable conversations with long-context language models: the client's commands.")
    {
        ChatCommand.Create(),
        SessionsCommand.Create(),
        TokenizeCommand.Create(),
        CalibrateCommand.Create(),
        DoctorCommand.Create(),
        new HelpOption(),
    };
}
