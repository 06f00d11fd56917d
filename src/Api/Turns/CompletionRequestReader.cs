using LServe.Contracts;
using LServe.Contracts.OpenAi;
using LServe.Sessions;

namespace LServe.Api.Turns;

/// <summary>A text completion request, checked, as a turn.</summary>
internal static class CompletionRequestReader
{
    /// <summary>Tokens: what OpenAI's text completions generate when no limit is sent.</summary>
    public const int DefaultMaxTokens = 16;

    public static TurnRequest Read(CompletionRequest request, HostStatus status)
    {
        ModelName.Check(request.Model, status.Model);
        RefuseUnsupported(request);
        var prompt = request.Prompt ?? throw LServeException.Invalid("'prompt' is missing.", "prompt");
        if (prompt.Tokens is { Count: 0 })
            throw LServeException.Invalid("'prompt' needs at least one token.", "prompt");
        if (prompt.Tokens is { } tokens && tokens.Any(token => token < 0))
            throw LServeException.Invalid("'prompt' has a negative token id.", "prompt");
        return new TurnRequest
        {
            Prompt = prompt.Text,
            PromptTokens = prompt.Tokens,
            Sampling = ReadSampling(request),
            Attention = request.Attention,
            KeepAlive = request.KeepAlive,
            Replay = request.Replay ?? false,
        };
    }

    private static SamplingOptions ReadSampling(CompletionRequest request)
    {
        var sampling = SamplingReader.Read(request) with
        {
            MaxTokens = request.MaxTokens ?? DefaultMaxTokens,
            Logprobs = request.Logprobs is not null,
            TopLogprobs = request.Logprobs ?? 0,
        };
        return SamplingRules.Check(sampling, topLogprobs: "logprobs");
    }

    private static void RefuseUnsupported(CompletionRequest request)
    {
        if (request.Echo is true)
            throw LServeException.Invalid("'echo' is not supported: the prompt is not repeated.", "echo");
        if (!string.IsNullOrEmpty(request.Suffix))
            throw LServeException.Invalid("'suffix' is not supported: this server continues texts, it doesn't fill them in.", "suffix");
        if (request.BestOf is { } best and not 1)
            throw LServeException.Invalid($"'best_of' must be 1; it is {best}.", "best_of");
    }
}
