using LServe.Contracts;
using LServe.Inference;

namespace LServe.Sessions;

/// <summary>
/// Runs one turn on a sequence: prompt in, events out. Leaves the sequence with exactly the tokens of what was sent, or, when nothing
/// was sent or the turn failed, as it was before.
/// </summary>
/// <param name="checkpoints">Null: it is not noted how far the answer is.</param>
internal sealed class TurnRunner(SessionEnvironment environment, Sequence sequence, AnswerCheckpoints? checkpoints)
{
    private readonly Engine _engine = environment.Engine;

    /// <summary>What a turn added. <see cref="Text"/> is null when it was cancelled before anything was sent, so nothing is kept.</summary>
    public sealed record Outcome(string? Text, int PromptEnd, FinishReason Reason, TurnUsage Usage, IReadOnlyList<TokenLogprob>? Logprobs);

    /// <param name="restored">Tokens whose pages were read from the store for this turn.</param>
    /// <exception cref="LServeException">The turn could not be run or finished; the sequence is as before.</exception>
    public async Task<Outcome> RunAsync(Turn turn, TurnInput input, int restored)
    {
        // Read before the engine may change it.
        var (before, cached, computed) = (sequence.Length, sequence.CachedLength, sequence.ComputedLength);
        var generation = Start(turn.Request.Sampling, input);
        using var cancelling = turn.Cancelled.Register(() => _engine.Cancel(generation));
        turn.Publish(new TurnStarted(turn.Id, before + input.Prompt.Length, cached, Repeated: false));
        var answer = new AnswerBuilder(environment.Tokenizer, turn.Request.Sampling, continues: !input.IsChat);
        var logprobs = turn.Request.Sampling.Logprobs ? new List<TokenLogprob>() : null;
        StopCause cause;
        try
        {
            cause = await FollowAsync(turn, generation, answer, logprobs);
        }
        catch (EngineException failure)
        {
            if (checkpoints is not null) await checkpoints.ForgetAsync();
            await _engine.TruncateAsync(sequence, before);
            throw ToPublic(failure);
        }
        var outcome = await KeepAsync(turn, generation, answer, (before, computed), cause, logprobs);
        // Between the two somebody may have needed the pages.
        return outcome with { Usage = outcome.Usage with { RestoredTokens = Math.Min(restored, generation.CachedAtStart) } };
    }

    private Generation Start(SamplingOptions options, TurnInput input)
    {
        var sampling = SamplingRules.ToParams(options, environment.Tokenizer.VocabularySize);
        var room = _engine.Options.ContextLength - sequence.Length - input.Prompt.Length;
        if (room < 1)
            throw new LServeException(new(ErrorCode.ContextLengthExceeded,
                $"The context would have {sequence.Length + input.Prompt.Length} tokens and an answer at least one more; the window is {_engine.Options.ContextLength}. " +
                "Shorten the messages or start another session.", "messages"));
        try
        {
            return _engine.Generate(sequence, input.Prompt, sampling, Math.Min(options.MaxTokens ?? room, room));
        }
        catch (EngineException failure)
        {
            throw ToPublic(failure);
        }
    }

    private async Task<StopCause> FollowAsync(Turn turn, Generation generation, AnswerBuilder answer, List<TokenLogprob>? logprobs)
    {
        var followed = new EventFollower(turn, answer, logprobs, stop: () => _engine.Cancel(generation));
        while (await generation.WaitAsync())
        {
            var before = answer.Drawn;
            while (generation.TryRead(out var next))
            {
                followed.Take(next);
                checkpoints?.Pass(answer.Drawn, () => answer.Text);
            }
            environment.Activity.Tenants.Count(sequence.Tenant, answer.Drawn - before);
        }
        var cause = followed.End();
        if (checkpoints is not null) await checkpoints.EndAsync();
        return cause;
    }

    private async Task<Outcome> KeepAsync(
        Turn turn, Generation generation, AnswerBuilder answer, (int Length, int Computed) before, StopCause cause, IReadOnlyList<TokenLogprob>? logprobs)
    {
        var promptEnd = generation.PromptLength;
        var text = answer.Text;
        if (turn.CutAt is { } cut && cut < text.Length) text = text[..cut];
        var cancelled = cause == StopCause.Cancelled && !answer.Stopped;
        var keep = !cancelled || text.Length > 0;
        var (tokens, leftOver) = answer.Cut(text.Length);
        await _engine.TruncateAsync(sequence, keep ? promptEnd + tokens : before.Length);
        if (keep && leftOver.Length > 0) AppendText(leftOver);
        var reason = cancelled ? FinishReason.Cancelled : cause == StopCause.Length && !answer.Stopped ? FinishReason.Length : FinishReason.Stop;
        var usage = new TurnUsage(promptEnd, answer.Drawn, generation.CachedAtStart, sequence.Length, RecomputedTokens: Math.Max(0, before.Computed - generation.CachedAtStart))
        {
            Attention = sequence.Mode.ToKind(),
            PagesRead = generation.Pages.Read,
            PagesHeld = generation.Pages.Held,
        };
        return new(keep ? text : null, promptEnd, reason, usage, logprobs);
    }

    private void AppendText(string text)
    {
        var ids = new List<int>();
        environment.Tokenizer.EncodeContinuation(text, ids);
        sequence.AppendUncached(ids);
    }

    private static LServeException ToPublic(EngineException failure) => new(
        failure.Failure switch
        {
            EngineFailure.ContextExceeded => new(ErrorCode.ContextLengthExceeded, failure.Message, "messages"),
            EngineFailure.Unsupported => new(ErrorCode.InvalidRequest, failure.Message, "attention"),
            EngineFailure.StepFailed => new(ErrorCode.Internal, failure.Message, Retryable: true, RetryAfterSeconds: 1),
            _ => new(ErrorCode.Overloaded, failure.Message, Retryable: true, RetryAfterSeconds: 1),
        },
        failure);
}
