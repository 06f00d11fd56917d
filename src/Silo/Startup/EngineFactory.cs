using LServe.Inference;
using LServe.Model;

namespace LServe.Silo;

/// <summary>Starts the engine on the backend that was chosen.</summary>
internal static class EngineFactory
{
    /// <exception cref="StartException">The options can't work with this model or on this machine.</exception>
    public static Engine Create(ModelFile model, SiloOptions options, IProgress<float>? progress)
    {
        try
        {
            var defaults = new EngineOptions();
            var limits = defaults with
            {
                ContextLength = options.Context,
                KvTokens = options.KvTokens,
                MaxBatch = options.MaxBatch == 0 ? defaults.MaxBatch : options.MaxBatch,
                KvPrecision = options.Kv,
            };
            if (options.Attention == AttentionMode.LServe) limits = Sparse(limits, PatternLocator.Open(options.Pattern, model.Config), options);
            // Resolved before the backend takes any memory.
            limits = EngineLimits.Resolve(limits, model.Config);
            var backend = BackendChoice.Create(options);
            limits = limits with { PrefillRows = backend.Info.PrefillRows };
            return new Engine(backend, model.Config, model.Weights, model.Tokenizer.EndTokens, limits, progress);
        }
        catch (ArgumentException problem)
        {
            throw new StartException($"--{problem.Message}", problem);
        }
        catch (NotSupportedException problem)
        {
            throw new StartException($"{model.Path}: {problem.Message}", problem);
        }
        catch (OutOfMemoryException problem)
        {
            throw new StartException("the model and its KV cache don't fit the memory; ask for less with --kv-tokens or --context.", problem);
        }
    }

    private static EngineOptions Sparse(EngineOptions limits, HeadPattern? pattern, SiloOptions options)
    {
        var sparse = options.Sparse with { Sink = options.Sink ?? pattern?.Sink ?? options.Sparse.Sink, Local = options.Local ?? pattern?.Local ?? options.Sparse.Local };
        return limits with { LServe = sparse, Pattern = pattern };
    }
}
