using LServe.Bench.Sparse;
using LServe.Inference;

try
{
    var options = SparseOptions.Parse(args);
    var samples = new List<Sample>();
    for (var round = 1; round <= options.Rounds && options.Model is not null; round++)
    {
        Console.WriteLine($"round {round} of {options.Rounds}");
        foreach (var mode in Enum.GetValues<AttentionMode>())
        {
            using var side = new Side(options, mode);
            samples.AddRange(await side.MeasureAsync(options));
        }
        for (var flash = 0; flash < 2 && round == 1 && options.Peer is not null; flash++) samples.AddRange(await Peer.MeasureAsync(options, flash));
    }
    samples.AddRange(Geometry.Measure(options));
    Report.Write(options, samples);
    return 0;
}
catch (Exception e) when (e is FormatException or ArgumentException or OverflowException)
{
    Console.Error.WriteLine($"{e.Message}\n\n{SparseOptions.Usage}");
    return 2;
}
