using LServe.Contracts;

namespace LServe.Client;

/// <summary>
/// Takes out of a turn that is told again what its reader has had already. It may be told in other pieces, or all at once, so that texts
/// are compared and not events.
/// </summary>
internal sealed class TurnReplay
{
    private readonly System.Text.StringBuilder _text = new();
    private int _tokens, _logprobs, _progress = -1;
    private bool _started;
    private int _toldCharacters, _toldTokens, _toldLogprobs;

    /// <summary>The turn is told from its first event on.</summary>
    public void Begin() => (_toldCharacters, _toldTokens, _toldLogprobs) = (0, 0, 0);

    /// <summary>The event, or the part of it that is new, or null.</summary>
    /// <exception cref="LServeException">The turn was lost, and its answer is another one now.</exception>
    public TurnEvent? Pass(TurnEvent next)
    {
        switch (next)
        {
            case TurnStarted:
                return _started ? null : Note(next, ref _started);
            case PromptProgress progress:
                if (progress.Done <= _progress || _text.Length > 0) return null;
                _progress = progress.Done;
                return next;
            case TextDelta delta:
                return Rest(delta);
            case TurnCompleted when _toldCharacters < _text.Length:
                throw Changed();
            default:
                return next;
        }
    }

    private TextDelta? Rest(TextDelta delta)
    {
        var known = Math.Clamp(_text.Length - _toldCharacters, 0, delta.Text.Length);
        if (known > 0 && _text.ToString(_toldCharacters, known) != delta.Text[..known]) throw Changed();
        var tokens = Math.Max(0, _toldTokens + delta.Tokens - _tokens);
        var logprobs = delta.Logprobs?.Skip(Math.Max(0, _logprobs - _toldLogprobs)).ToArray();
        _toldCharacters += delta.Text.Length;
        _toldTokens += delta.Tokens;
        _toldLogprobs += delta.Logprobs?.Count ?? 0;
        if (known == delta.Text.Length && tokens == 0 && logprobs is null or { Length: 0 }) return null;
        _text.Append(delta.Text, known, delta.Text.Length - known);
        (_tokens, _logprobs) = (_tokens + tokens, _logprobs + (logprobs?.Length ?? 0));
        return known == 0 && tokens == delta.Tokens ? delta : new(delta.Text[known..], tokens, logprobs);
    }

    private static TurnEvent Note(TurnEvent next, ref bool noted)
    {
        noted = true;
        return next;
    }

    private static LServeException Changed() => new(new(
        ErrorCode.Overloaded, "The turn was lost before it was committed, and its answer is another one now. Throw away what came of it, and send the same turn id again to read it from its start.",
        Retryable: true));
}
