using LServe.Contracts;
using LServe.Inference;

namespace LServe.Sessions;

/// <summary>Passes a generation's events on to a turn's readers as text.</summary>
/// <param name="stop">Called when a stop string ends the answer before the engine does.</param>
internal sealed class EventFollower(Turn turn, AnswerBuilder answer, List<TokenLogprob>? logprobs, Action stop)
{
    private TokenEvent _last;

    public void Take(in TokenEvent next)
    {
        switch (next.Kind)
        {
            case TokenEventKind.Progress:
                turn.Publish(new PromptProgress(next.Done, next.Total));
                break;
            case TokenEventKind.Token:
                TakeToken(next);
                break;
            default:
                _last = next;
                break;
        }
    }

    /// <summary>The rest of the text, and why it ended.</summary>
    public StopCause End()
    {
        if (_last.Kind == TokenEventKind.Failed) throw _last.Error!;
        if (_last.Cause != StopCause.Cancelled) Send(answer.Flush());
        return _last.Cause;
    }

    private void TakeToken(in TokenEvent next)
    {
        if (answer.Stopped) return;
        if (next.IsEnd)
        {
            answer.AppendEnd();
            return;
        }
        Send(answer.Append(next));
        if (answer.Stopped) stop();
    }

    private void Send(TextDelta? delta)
    {
        if (delta is null) return;
        turn.Publish(delta);
        if (delta.Logprobs is { } some) logprobs?.AddRange(some);
    }
}
