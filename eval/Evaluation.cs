using System.Text.Json.Nodes;
using LServe.Model;

namespace LServe.Eval;

/// <summary>Runs the rows of a task that have no results yet, and writes the report after each.</summary>
internal sealed class Evaluation(EvalOptions options) : IDisposable
{
    private const string NeedleRows = "dense,default,paper";

    private readonly ModelFile _model = ModelFile.Open(options.Model);

    public void Run()
    {
        var texts = TextSet.Read(options.Texts ?? throw new ArgumentException("Name a folder with long *.txt files: --texts FOLDER."), _model.Tokenizer);
        var pattern = ReadPattern();
        if (options.Task == "divergence") Divergence(texts.Cut(options.Count, options.Length), pattern);
        else Needles(texts, pattern);
    }

    /// <summary>Writes the pages of what is on record in a folder, and runs nothing.</summary>
    /// <exception cref="ArgumentException">Nothing is.</exception>
    public static void Report(string folder)
    {
        var (divergence, needles) = (ResultFile.TryRead(Path.Combine(folder, "divergence.json")), ResultFile.TryRead(Path.Combine(folder, "needles.json")));
        if (divergence is null && needles is null) throw new ArgumentException($"{folder} has neither a divergence.json nor a needles.json.");
        if (divergence is not null) DivergenceReport.Write(folder, [.. divergence.All<DivergenceRow>().Select(r => r.Value)]);
        if (needles is not null) NeedleReport.Write(folder, [.. needles.All<NeedleRow>().Select(r => r.Value)]);
    }

    private void Divergence(TextSet texts, HeadPattern? pattern)
    {
        var settings = options.Rows.Length == 0 ? SettingList.All : SettingList.Named(options.Rows);
        var subject = Subject(texts, pattern);
        (subject["length"], subject["prompt"]) = (options.Length, options.Prompt);
        var file = ResultFile.Open(Path.Combine(options.Out, "divergence.json"), options, Machine(), subject);
        using var dense = DenseLogits.OpenOrMake(_model, texts, options.Prompt, options, new ProgressLine("dense logits"));
        var task = new DivergenceTask(_model, pattern, texts, dense, options);
        foreach (var setting in settings)
        {
            if (file.Find<DivergenceRow>(setting.Name) is null) file.Set(setting.Name, task.Run(setting, new ProgressLine(setting.Name)));
            var row = file.Find<DivergenceRow>(setting.Name)!;
            Console.WriteLine($"{row.Name,-28} top-1 {row.Top1:F4}  KL {row.Divergence:F5}  NLL {row.LossDifference:+0.00000;-0.00000}  {row.Positions} positions, {row.Seconds:F0} s");
            DivergenceReport.Write(options.Out, [.. file.All<DivergenceRow>().Select(r => r.Value)]);
        }
    }

    private void Needles(TextSet texts, HeadPattern? pattern)
    {
        var subject = Subject(texts, pattern);
        subject["seed"] = options.Seed;
        var file = ResultFile.Open(Path.Combine(options.Out, "needles.json"), options, Machine(), subject);
        var settings = SettingList.Named(options.Rows.Length == 0 ? NeedleRows.Split(',') : options.Rows);
        foreach (var kind in options.Kinds)
            foreach (var length in options.Lengths)
            {
                var task = new NeedleTask(_model, pattern, new(_model.Tokenizer, texts, kind, length, options.Seed), kind, length, options);
                for (var left = settings.ToList(); left.Count > 0;)
                {
                    Setting[] together = [.. left.Where(s => s.PromptsAs(left[0], length))];
                    Needles(file, task, [.. together.Select(s => new NeedleRow(s.Name, SettingText.Of(s), kind, length, ""))], together);
                    left.RemoveAll(together.Contains);
                }
                NeedleReport.Write(options.Out, [.. file.All<NeedleRow>().Select(r => r.Value)]);
            }
    }

    private void Needles(ResultFile file, NeedleTask task, NeedleRow[] rows, Setting[] settings)
    {
        var keys = rows.Select(row => $"{row.Kind} {row.Name} {row.Length}").ToArray();
        for (var i = 0; i < rows.Length; i++) rows[i] = file.Find<NeedleRow>(keys[i]) ?? rows[i];
        var (progress, ended) = (new ProgressLine($"{rows[0].Kind} {rows[0].Length}, {string.Join(", ", rows.Select(row => row.Name))}"), rows.Sum(row => row.Found.Length));
        if (rows.Any(row => row.Found.Length < options.Trials))
            task.Run(settings, [.. rows.Select(row => row.Found.Length)], (i, found) =>
            {
                file.Set(keys[i], rows[i] = rows[i] with { Found = rows[i].Found + found.ToString("X", System.Globalization.CultureInfo.InvariantCulture) });
                progress.Report((float)++ended / (rows.Length * options.Trials));
            });
        for (var i = 0; i < rows.Length; i++) Console.WriteLine($"{keys[i],-36} {rows[i].Trials.Sum():0.#} of {rows[i].Found.Length}");
    }

    private JsonObject Subject(TextSet texts, HeadPattern? pattern) => new()
    {
        ["backend"] = options.Backend,
        ["model"] = Path.GetFileName(options.Model),
        ["texts"] = string.Join(' ', texts.Names),
        ["tokens"] = texts.Hash(),
        ["pattern"] = pattern is null ? "none" : string.Join(' ', pattern.Streams().Select(layer => string.Concat(layer.Select(s => s ? '1' : '0')))),
    };

    private HeadPattern? ReadPattern()
    {
        var folder = options.Pattern ?? (Path.GetFileName(options.Model) == Repository.BundledModel ? Repository.BundledPattern : null);
        return folder is null ? null : HeadPatternFolder.Open(folder, _model.Config);
    }

    private string Machine()
    {
        using var backend = EvalBackend.Open(options);
        return options.Backend == EvalBackend.Cuda ? backend.Info.Name : $"{Processor()}, {(options.Threads == 0 ? Environment.ProcessorCount : options.Threads)} threads";
    }

    private static string Processor()
    {
        const string file = "/proc/cpuinfo";
        var line = File.Exists(file) ? File.ReadLines(file).FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal)) : null;
        return line?.Split(':', 2)[1].Trim() ?? "unknown processor";
    }

    public void Dispose() => _model.Dispose();
}
