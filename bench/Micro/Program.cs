using System.Diagnostics;
using LServe.Bench.Micro;
using LServe.Model;

const int DecodeSteps = 32, StreamDepth = 128, StreamSteps = 64;

MicroOptions options;
try
{
    options = MicroOptions.Parse(args);
}
catch (Exception e) when (e is FormatException or ArgumentException or OverflowException)
{
    Console.Error.WriteLine($"{e.Message}\n\n{MicroOptions.Usage}");
    return 2;
}

using var model = ModelFile.Open(options.Model);
var figures = new List<MicroFigure>();
var longest = options.Prefill.Concat(options.Contexts.Select(c => c + DecodeSteps)).Concat(options.Streams.Select(s => s * (StreamDepth + StreamSteps))).Max();
using var runner = new Runner(model, options, longest + 64);
Console.WriteLine($"{model.Config.Name} on {runner.Name}");

Console.WriteLine(
    $"one core at best: {Floors.MultiplyAdds():F0}·10⁹ multiply-adds/s, {Floors.ReadBandwidth(new FileInfo(options.Model).Length):F1} GB/s from {new FileInfo(options.Model).Length >> 20} MiB");

foreach (var tokens in options.Prefill)
    Report($"prefill {tokens}", tokens, () =>
    {
        runner.Reset(1, tokens);
        return runner.Prefill(0, tokens);
    });

foreach (var depth in options.Contexts)
{
    runner.Reset(1, depth + DecodeSteps);
    runner.Prefill(0, depth);
    Report($"decode at {depth}", DecodeSteps, () => runner.Decode(depth, DecodeSteps));
}

foreach (var streams in options.Streams)
{
    runner.Reset(streams, StreamDepth + StreamSteps);
    for (var i = 0; i < streams; i++) runner.Prefill(i, StreamDepth);
    Report($"streams {streams}", StreamSteps * streams, () => runner.Decode(StreamDepth, StreamSteps));
}
MicroReport.Write(options, args, runner.Name, figures);
return 0;

void Report(string what, int tokens, Func<double> run)
{
    run();
    var processor = Process.GetCurrentProcess().TotalProcessorTime;
    var rates = Enumerable.Range(0, options.Repeat).Select(_ => tokens / run()).Order().ToArray();
    var processorSeconds = (Process.GetCurrentProcess().TotalProcessorTime - processor).TotalSeconds;
    var figure = new MicroFigure(what, rates[^1], rates[rates.Length / 2], tokens * options.Repeat / processorSeconds);
    figures.Add(figure);
    Console.WriteLine($"{what,-16} best {figure.Best,8:F1}  median {figure.Median,8:F1} tokens/s  {figure.PerCoreSecond,8:F1} tokens per core second");
}
