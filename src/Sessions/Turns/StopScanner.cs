namespace LServe.Sessions;

/// <summary>Finds stop strings in text that arrives in pieces, and holds back what may be the beginning of one.</summary>
internal sealed class StopScanner(IReadOnlyList<string> stops)
{
    private string _held = "";

    /// <summary>Whether a stop string was met; what came after it is dropped.</summary>
    public bool Stopped { get; private set; }

    /// <summary>The text that can be given out now: it is not, and can't become, part of a stop string.</summary>
    public string Append(string text)
    {
        if (stops.Count == 0) return text;
        _held += text;
        var match = EarliestMatch();
        if (match >= 0)
        {
            Stopped = true;
            return Release(match, drop: true);
        }
        return Release(_held.Length - LongestOpenEnd(), drop: false);
    }

    /// <summary>What was held back when the text ends without a stop string.</summary>
    public string Flush() => Release(_held.Length, drop: false);

    private string Release(int length, bool drop)
    {
        var text = _held[..length];
        _held = drop ? "" : _held[length..];
        return text;
    }

    private int EarliestMatch()
    {
        var earliest = -1;
        foreach (var stop in stops)
        {
            var at = _held.IndexOf(stop, StringComparison.Ordinal);
            if (at >= 0 && (earliest < 0 || at < earliest)) earliest = at;
        }
        return earliest;
    }

    /// <summary>Length of the longest end of the held text that some stop string begins with.</summary>
    private int LongestOpenEnd()
    {
        var longest = 0;
        foreach (var stop in stops)
            for (var length = Math.Min(stop.Length - 1, _held.Length); length > longest; length--)
                if (_held.AsSpan(_held.Length - length).SequenceEqual(stop.AsSpan(0, length)))
                    longest = length;
        return longest;
    }
}
