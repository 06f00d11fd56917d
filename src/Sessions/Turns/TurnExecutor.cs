using LServe.Contracts;

namespace LServe.Sessions;

/// <summary>Takes a session's turns one by one from request to commit, and turns whatever goes wrong into what its readers are told.</summary>
internal sealed class TurnExecutor(SessionEnvironment environment, SessionMemory memory)
{
    private readonly Conversation _conversation = new(environment);

    /// <summary>Runs the turn, commits it, and gives back what tells its readers that it ended. Doesn't throw.</summary>
    public async Task<Action> RunAsync(Turn turn)
    {
        try
        {
            await memory.LoadAsync(turn.Request.Attention?.ToMode());
            return memory.Snapshot?.LastTurn is { } last && last.TurnId == turn.Id ? Repeat(turn, last) : await RunNewAsync(turn);
        }
        catch (LServeException failure)
        {
            return () => turn.Fail(failure);
        }
        catch (SessionStoreConflictException conflict)
        {
            return () => turn.Fail(new LServeException(new(ErrorCode.Overloaded, conflict.Message + " Send the turn again.", Retryable: true), conflict));
        }
        catch (SessionStoreException problem)
        {
            return () => turn.Fail(problem.ToPublic());
        }
        catch (Exception defect)
        {
            await memory.ForgetAsync();
            return () => turn.Fail(new LServeException(new(ErrorCode.Internal, "The turn failed: " + defect.Message), defect));
        }
    }

    /// <summary>Tells a committed turn's result again; what it gives back tells its end.</summary>
    public static Action Repeat(Turn turn, CommittedTurn last)
    {
        turn.Publish(new TurnStarted(last.TurnId, last.Usage.PromptTokens, last.Usage.CachedTokens, Repeated: true));
        if (last.Text.Length > 0 || last.Logprobs is not null)
            turn.Publish(new TextDelta(last.Text, last.Usage.CompletionTokens, last.Logprobs));
        return () => turn.Complete(new TurnCompleted(last.Reason, last.Usage));
    }

    private async Task<Action> RunNewAsync(Turn turn)
    {
        if (turn.Cancelled.IsCancellationRequested)
            throw new LServeException(new(ErrorCode.Cancelled, "The turn was cancelled before it began."));
        var input = _conversation.Resolve(memory.Snapshot?.Messages ?? [], turn.Request);
        var sequence = await memory.LoadAsync(turn.Request.Attention?.ToMode());
        AttentionKinds.Check(memory.Key, sequence.Mode, turn.Request.Attention);
        AttentionKinds.CheckServed(environment.Engine, sequence.Mode.ToKind());
        if (!turn.Request.Replay) memory.CheckContent();
        var restored = await memory.RestorePagesAsync();
        var outcome = await new TurnRunner(environment, sequence, memory.CheckpointsOf(turn)).RunAsync(turn, input, restored);
        outcome = outcome with { Usage = outcome.Usage with { ArithmeticChanged = memory.ArithmeticChanged } };
        await memory.CommitAsync(turn, input, outcome);
        return () => turn.Complete(new TurnCompleted(outcome.Reason, outcome.Usage));
    }
}
