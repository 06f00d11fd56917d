using System.Diagnostics;
using LServe.Tests.Support;

namespace LServe.Tests.EndToEnd.Readme;

/// <summary>A test that needs a program, perhaps with a package of its language; it skips and says so where that is missing.</summary>
public sealed class ToolFactAttribute : FactAttribute
{
    public ToolFactAttribute(string program, string? needsFolder = null, string? needsModule = null)
    {
        if (!IsOnPath(program)) Skip = $"{program} is not installed.";
        else if (needsFolder is not null && !Directory.Exists(Path.Combine(RepositoryFiles.Root, needsFolder))) Skip = $"{needsFolder} is missing; .ci/run installs it.";
        else if (needsModule is not null && !Imports(program, needsModule)) Skip = $"{program} has no module '{needsModule}'.";
    }

    private static bool IsOnPath(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, program)));

    private static bool Imports(string python, string module)
    {
        using var process = Process.Start(new ProcessStartInfo(python, ["-c", $"import {module}"]) { RedirectStandardError = true })!;
        process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
