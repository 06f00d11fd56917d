using LServe.Bench;
using LServe.Bench.Cluster;

try
{
    var options = ClusterOptions.Parse(args);
    var figures = new Figures();
    foreach (var part in options.Parts)
        await (part switch
        {
            "latency" => LatencyPart.RunAsync(options, figures),
            "idle" => IdlePart.RunAsync(options, figures),
            "migrate" => MigrationPart.RunAsync(options, figures),
            _ => throw new FormatException($"There is no part '{part}'."),
        });
    figures.Write(options.Out, options.Command, options.Commit, options.Threads);
    return 0;
}
catch (Exception e) when (e is FormatException or ArgumentException or OverflowException)
{
    Console.Error.WriteLine($"{e.Message}\n\n{ClusterOptions.Usage}");
    return 2;
}
