using LServe.Cpu;
using LServe.Inference;
using LServe.Model;

namespace LServe.Cli.Calibration;

/// <summary>
/// Makes a head pattern by ablation: a KV head's loss is what the model loses when that head alone streams. Gates are the ranks of the
/// losses, 0 for the least: only their order counts when heads are chosen. Bit for bit the same for one seed and vector width.
/// </summary>
internal sealed class Calibrator : IDisposable
{
    private readonly ModelFile _model;
    private readonly CalibrationOptions _options;
    private readonly AblationBackend _backend;
    private readonly LlamaForward _forward;
    private readonly CalibrationPrompt[] _prompts;
    private readonly TwoWayPageTable _table = new();
    private readonly StepPlan _plan = new();

    public Calibrator(ModelFile model, CalibrationOptions options)
    {
        (_model, _options) = (model, options);
        var generator = new PromptGenerator(model.Tokenizer, options.Seed);
        _prompts = [.. Enumerable.Range(0, options.Prompts).Select(_ => generator.Next(options.Tokens, options.Sink + options.AblationLocal))];
        var longest = _prompts.Max(p => p.Tokens.Length);
        _backend = new AblationBackend(new CpuBackend(new CpuOptions { Threads = options.Threads }));
        _forward = new LlamaForward(_backend, model.Config, model.Weights, longest);
        var pages = KvGeometry.PagesFor(longest);
        _backend.AllocateKv(new(model.Config.Layers, model.Config.KvHeads, model.Config.HeadDim, KvPrecision.F32, pages));
        for (var page = 0; page < pages; page++) _table.Add(page);
    }

    /// <summary>Mean negative log-likelihood of an answer's token with all heads dense, in nats: whether the model can find needles at all.</summary>
    public double DenseAnswerLoss { get; private set; }

    /// <param name="progress">Told the share of the work that is done, 0 … 1.</param>
    public (HeadPattern Pattern, double[][] Losses) Run(IProgress<float> progress, CancellationToken stopping)
    {
        var config = _model.Config;
        double[][] losses = [.. Enumerable.Range(0, config.Layers).Select(_ => new double[config.KvHeads])];
        var means = new KeyMeans(config);
        for (var i = 0; i < _prompts.Length; i++)
        {
            var done = i;
            Ablate(_prompts[i], losses, means, new Relay(share => progress.Report((done + share) / _prompts.Length)), stopping);
        }
        var pattern = new HeadPattern
        {
            Gates = Ranks(losses), Share = _options.Share, Sink = _options.Sink, Local = _options.Local, Centres = means.Means(),
        };
        return (pattern, losses);
    }

    private void Ablate(CalibrationPrompt prompt, double[][] losses, KeyMeans means, Relay progress, CancellationToken stopping)
    {
        var config = _model.Config;
        var trace = new PromptTrace(config, prompt.Tokens.Length);
        _backend.Record(trace);
        var dense = new Predictions(prompt, Pass(prompt));
        means.Add(trace);
        DenseAnswerLoss += dense.DenseAnswerLoss / _prompts.Length;
        if (_options.Quick)
        {
            AttentionMass.Add(config, trace, prompt, _options.Sink, _options.AblationLocal, _prompts.Length, losses);
            return;
        }
        // A pass costs as many layers as are left from the head's on.
        var (cost, total) = (0f, config.KvHeads * config.Layers * (config.Layers + 1) / 2f);
        for (var layer = 0; layer < config.Layers; layer++)
            for (var head = 0; head < config.KvHeads; head++)
            {
                stopping.ThrowIfCancellationRequested();
                _backend.Ablate(trace, new StreamingHead(config, layer, head, _options.Sink, _options.AblationLocal));
                losses[layer][head] += dense.LossOf(Pass(prompt)) / _prompts.Length;
                progress.Report((cost += config.Layers - layer) / total);
            }
    }

    /// <summary>One step over the whole prompt, cut after every row whose logits are wanted.</summary>
    private ReadOnlySpan<float> Pass(CalibrationPrompt prompt)
    {
        _plan.Clear();
        var start = 0;
        foreach (var row in prompt.LogitRows)
        {
            _plan.AddPrefill(_table, start, prompt.Tokens.AsSpan(start..(row + 1)), LogitChoice.Last);
            start = row + 1;
        }
        _plan.AddPrefill(_table, start, prompt.Tokens.AsSpan(start), LogitChoice.None);
        return _forward.Run(_plan);
    }

    internal static float[][] Ranks(double[][] losses)
    {
        float[][] gates = [.. losses.Select(l => new float[l.Length])];
        var order = losses.SelectMany((l, layer) => l.Select((loss, head) => (loss, layer, head))).OrderBy(h => h.loss).ToArray();
        for (var i = 0; i < order.Length; i++) gates[order[i].layer][order[i].head] = order.Length == 1 ? 0 : (float)i / (order.Length - 1);
        return gates;
    }

    public void Dispose()
    {
        _forward.Dispose();
        _backend.Dispose();
    }

    private sealed class Relay(Action<float> report) : IProgress<float>
    {
        public void Report(float value) => report(value);
    }
}
