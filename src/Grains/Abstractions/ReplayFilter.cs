using LServe.Contracts;

namespace LServe.Grains;

/// <summary>
/// Takes out of a resumed turn what its reader has had already. A turn in progress tells the same events again; one that was committed
/// meanwhile tells its whole answer as one.
/// </summary>
internal sealed class ReplayFilter
{
    private int _characters, _tokens, _logprobs, _at;
    private bool _isRepeated;

    /// <summary>Events that went through.</summary>
    public int Passed { get; private set; }

    /// <summary>The turn is told from its first event on.</summary>
    public void Begin() => (_at, _isRepeated) = (0, false);

    /// <summary>The event, or the part of it that is new, or null.</summary>
    public TurnEvent? Pass(TurnEvent next)
    {
        if (_at++ == 0 && Passed > 0) _isRepeated = next is TurnStarted { Repeated: true };
        var isNew = _isRepeated ? next is not TurnStarted : _at > Passed;
        var fresh = !isNew ? null : _isRepeated && next is TextDelta answer ? Rest(answer) : next;
        if (fresh is not null) Count(fresh);
        return fresh;
    }

    private TextDelta? Rest(TextDelta answer)
    {
        if (answer.Tokens <= _tokens && answer.Text.Length <= _characters) return null;
        var logprobs = answer.Logprobs?.Skip(_logprobs).ToArray();
        return new(answer.Text[Math.Min(_characters, answer.Text.Length)..], Math.Max(0, answer.Tokens - _tokens), logprobs);
    }

    private void Count(TurnEvent fresh)
    {
        Passed++;
        if (fresh is not TextDelta delta) return;
        _characters += delta.Text.Length;
        _tokens += delta.Tokens;
        _logprobs += delta.Logprobs?.Count ?? 0;
    }
}
