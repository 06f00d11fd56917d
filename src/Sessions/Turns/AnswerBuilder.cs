using System.Text;
using LServe.Contracts;
using LServe.Inference;
using LServe.Model;

namespace LServe.Sessions;

/// <summary>
/// Turns drawn tokens into the text of an answer, and remembers which tokens stand for which text, so that an answer can be cut where
/// what was sent ends.
/// </summary>
/// <param name="continues">Whether the answer goes on the prompt's text, as a raw completion does, so that its first space counts.</param>
internal sealed class AnswerBuilder(ITokenizer tokenizer, SamplingOptions sampling, bool continues)
{
    private readonly StreamingDecoder _decoder = new(tokenizer, continues);
    private readonly StopScanner _stops = new(sampling.Stop ?? []);
    private readonly StringBuilder _text = new();
    private readonly List<TokenLogprob> _logprobs = [];
    private readonly List<(int Length, bool Whole)> _marks = [];
    private int _decoded, _unsent;

    /// <summary>The text given out so far.</summary>
    public string Text => _text.ToString();

    /// <summary>Tokens drawn, an end token included.</summary>
    public int Drawn { get; private set; }

    public bool Stopped => _stops.Stopped;

    /// <summary>What a token that is no end token adds, or null while it adds nothing that can be sent.</summary>
    public TextDelta? Append(in TokenEvent drawn)
    {
        Drawn++;
        _unsent++;
        var text = _decoder.Append(drawn.Token);
        _decoded += text.Length;
        _marks.Add((_decoded, !_decoder.IsOpen));
        if (sampling.Logprobs) _logprobs.Add(LogprobOf(drawn));
        return Send(_stops.Append(text), also: sampling.Logprobs && !Stopped);
    }

    /// <summary>Notes an end token, which is no text.</summary>
    public void AppendEnd() => Drawn++;

    /// <summary>What was held back, once no stop string can follow.</summary>
    public TextDelta? Flush() => Stopped ? null : Send(_stops.Flush(), also: false);

    /// <summary>
    /// The answer's first <paramref name="length"/> characters as tokens: how many of the drawn ones stand for whole characters of it,
    /// and the text that is left over, of a token that was cut.
    /// </summary>
    public (int Tokens, string LeftOver) Cut(int length)
    {
        var (tokens, covered) = (0, 0);
        for (var i = 0; i < _marks.Count && _marks[i].Length <= length; i++)
            if (_marks[i].Whole)
                (tokens, covered) = (i + 1, _marks[i].Length);
        return (tokens, _text.ToString(covered, length - covered));
    }

    private TextDelta? Send(string text, bool also)
    {
        if (text.Length == 0 && !also) return null;
        _text.Append(text);
        var delta = new TextDelta(text, _unsent, sampling.Logprobs ? _logprobs.ToArray() : null);
        _unsent = 0;
        _logprobs.Clear();
        return delta;
    }

    private TokenLogprob LogprobOf(in TokenEvent drawn)
    {
        var top = drawn.Top is { Count: > 0 } alternatives ? alternatives.Select(a => Named(a.Token, a.Logprob)).ToArray() : null;
        return Named(drawn.Token, drawn.Logprob) with { Top = top };
    }

    private TokenLogprob Named(int token, float logprob)
    {
        var bytes = tokenizer.BytesOf(token);
        return new(token, Encoding.UTF8.GetString(bytes), bytes.ToArray(), logprob);
    }
}
