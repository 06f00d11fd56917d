using LServe.Bench;
using LServe.Bench.Sessions;

try
{
    var options = SessionsOptions.Parse(args);
    var figures = new Figures();
    foreach (var part in options.Parts)
        await (part switch
        {
            "resume" => ResumePart.RunAsync(options, figures),
            "many" => ManyPart.RunAsync(options, figures),
            "checkpoint" => CheckpointPart.RunAsync(options, figures),
            _ => throw new FormatException($"There is no part '{part}'."),
        });
    figures.Write(options.Out, options.Command, options.Commit, options.Threads);
    return 0;
}
catch (Exception e) when (e is FormatException or ArgumentException or OverflowException)
{
    Console.Error.WriteLine($"{e.Message}\n\n{SessionsOptions.Usage}");
    return 2;
}
