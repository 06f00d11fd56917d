using LServe.Silo;

try
{
    var options = CommandLine.Read(args, Environment.GetEnvironmentVariable);
    if (options is null)
    {
        Console.Out.Write(CommandLine.Help);
        return 0;
    }
    Edition.Check(options);
    await Server.RunAsync(options);
    return 0;
}
catch (StartException problem)
{
    Console.Error.WriteLine($"lserve serve: {problem.Message}");
    return 2;
}
catch (Exception defect) when (!System.Diagnostics.Debugger.IsAttached)
{
    Console.Error.WriteLine($"lserve serve: stopped by a defect of the program ({defect.GetType().Name}: {defect.Message.ReplaceLineEndings(" ")})");
    return 1;
}
