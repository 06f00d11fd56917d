using System.CommandLine;
using LServe.Cli.Calibration;
using LServe.Cli.Terminal;
using LServe.Model;

namespace LServe.Cli;

/// <summary><c>lserve calibrate</c>: which heads of a model can do with a sink and a local window.</summary>
internal static class CalibrateCommand
{
    private static readonly CalibrationOptions Defaults = new();

    public static Command Create()
    {
        var model = CommonOptions.Model();
        var output = new Option<string>("--out") { Description = "Folder to write the pattern to", HelpName = "FOLDER", Required = true };
        var prompts = Number("--prompts", "Prompts to try every head on", Defaults.Prompts);
        var tokens = Number("--tokens", "Tokens of a prompt's text", Defaults.Tokens);
        var seed = Number("--seed", "What the prompts are drawn with", Defaults.Seed);
        var sink = Number("--sink", "Tokens: first ones that streaming heads see", Defaults.Sink);
        var local = Number("--local", "Tokens: last ones that streaming heads see", Defaults.Local);
        var share = new Option<double>("--share") { Description = $"Share of heads that stream. Default: {Defaults.Share}", DefaultValueFactory = _ => Defaults.Share };
        var quick = new Option<bool>("--quick") { Description = "Go by where heads look, not by what is lost without it: one pass per prompt, and a poorer pattern" };
        var threads = Number("--threads", "Threads that compute; 0: one per core", Defaults.Threads);
        var command = new Command("calibrate", "Find out which heads of a model can stream: each is tried alone, on needles and text") { model, output, prompts, tokens, seed, sink, local, share, quick, threads };
        command.SetAction((parsed, stopping) => Task.Run(() =>
        {
            var options = new CalibrationOptions
            {
                Prompts = parsed.GetValue(prompts), Tokens = parsed.GetValue(tokens), Seed = parsed.GetValue(seed), Sink = parsed.GetValue(sink),
                Local = parsed.GetValue(local), Share = parsed.GetValue(share), Quick = parsed.GetValue(quick),
                Threads = parsed.GetValue(threads),
            };
            Check(options);
            Run(BundledModel.Resolve(parsed.GetValue(model)), parsed.GetValue(output)!, options, stopping);
        }, stopping));
        return command;
    }

    private static void Check(CalibrationOptions options)
    {
        if (options.Prompts < 1) throw new UsageException($"--prompts is {options.Prompts}; it must be at least 1.");
        if (options.Sink < 0 || options.Local < 1) throw new UsageException($"--sink is {options.Sink} and --local {options.Local}; they must be at least 0 and 1.");
        if (options.Share is not (>= 0 and <= 1)) throw new UsageException($"--share is {options.Share}; it must be 0 to 1.");
        var least = 2 * (options.Sink + options.AblationLocal);
        if (options.Tokens < least)
            throw new UsageException($"--tokens is {options.Tokens}; heads are tried with a window of {options.AblationLocal} after a sink of {options.Sink}, so it must be at least {least}.");
    }

    private static void Run(string path, string folder, CalibrationOptions options, CancellationToken stopping)
    {
        using var model = ModelFile.Open(path);
        // Questions and answers come on top of the text.
        if (options.Tokens * 5L / 4 > model.Config.ContextLength)
            throw new UsageException($"--tokens is {options.Tokens}; the model's context of {model.Config.ContextLength} has room for a text of {model.Config.ContextLength * 4L / 5}.");
        using var calibrator = new Calibrator(model, options);
        HeadPattern pattern;
        double[][] losses;
        using (var progress = new ProgressLine("trying heads")) (pattern, losses) = calibrator.Run(progress, stopping);
        HeadPatternFolder.Save(folder, pattern);
        File.WriteAllText(Path.Combine(folder, "heatmap.svg"), HeatMap.Draw(model.Config.Name, pattern, losses, options.Quick ? "attention mass" : "ablation"));
        Console.WriteLine($"{folder}: {pattern.Layers} layers of {pattern.KvHeads} KV heads, {pattern.Streams().Sum(l => l.Count(s => s))} stream; needles cost {calibrator.DenseAnswerLoss:F3} nats a token with all heads dense");
    }

    private static Option<int> Number(string name, string description, int value) =>
        new(name) { Description = $"{description}. Default: {value}", DefaultValueFactory = _ => value, HelpName = "N" };
}
