using LServe.Model;

namespace LServe.Inference;

/// <summary>Turns options into the ones in force, and refuses those that can't work.</summary>
public static class EngineLimits
{
    /// <summary>Contexts that fit the page pool when its size is left open.</summary>
    public const int DefaultContexts = 4;

    /// <exception cref="ArgumentException">Names the option, its value and the fix.</exception>
    public static EngineOptions Resolve(EngineOptions options, ModelConfig config)
    {
        var context = options.ContextLength == 0 ? config.ContextLength : options.ContextLength;
        Require(context is >= 2 && context <= config.ContextLength, "context", context, $"2 to {config.ContextLength}, which is what the model was made for");
        var kvTokens = options.KvTokens == 0 ? Math.Min((long)context * DefaultContexts, int.MaxValue / 2) : options.KvTokens;
        Require(kvTokens >= context, "kv-tokens", kvTokens, $"at least the context of {context}, so that one sequence always fits");
        Require(options.MaxBatch is >= 1 and <= 4096, "max-batch", options.MaxBatch, "1 to 4096");
        Require(options.PrefillRows is >= 1 and <= 16384, "prefill-rows", options.PrefillRows, "1 to 16384");
        Require(options.PrefillRowsBesideDecode >= 1 && options.PrefillRowsBesideDecode <= options.PrefillRows,
            "prefill-rows-beside-decode", options.PrefillRowsBesideDecode, $"1 to prefill-rows ({options.PrefillRows})");
        Require(options.MaxWaiting >= 0, "max-waiting", options.MaxWaiting, "0 or more");
        Require(options.EventBuffer >= 4, "event-buffer", options.EventBuffer, "4 or more");
        return options with { ContextLength = context, KvTokens = (int)kvTokens };
    }

    private static void Require(bool holds, string option, long value, string allowed)
    {
        if (!holds) throw new ArgumentException($"{option} is {value}; it must be {allowed}.");
    }
}
