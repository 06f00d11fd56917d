using System.CommandLine;
using LServe.Contracts;
using LServe.Model;

namespace LServe.Cli;

/// <summary>Runs a command line: whatever goes wrong is one line on standard error.</summary>
internal static class CommandRunner
{
    /// <summary>The command line or its input is wrong, or something it needs isn't there.</summary>
    public const int Refused = 2;

    private const int Interrupted = 130;

    public static async Task<int> RunAsync(Command root, string[] arguments)
    {
        var parsed = root.Parse(arguments);
        if (parsed.Errors.Count > 0) return Refuse($"{parsed.Errors[0].Message.TrimEnd('.')}; ./lserve {arguments.FirstOrDefault()} --help lists the options.");
        // Commands handle Ctrl-C themselves: in a chat it stops the answer, not the program.
        var configuration = new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
        try
        {
            return await parsed.InvokeAsync(configuration);
        }
        catch (Exception problem) when (problem is LServeException or ModelFileException or IOException or UnauthorizedAccessException or UsageException)
        {
            return Refuse(problem.Message);
        }
        catch (OperationCanceledException)
        {
            return Interrupted;
        }
    }

    private static int Refuse(string message)
    {
        Console.Error.WriteLine("lserve: " + message.ReplaceLineEndings(" "));
        return Refused;
    }
}

/// <summary>The command can't be carried out as it was given; the message says how it could.</summary>
internal sealed class UsageException(string message) : Exception(message);
