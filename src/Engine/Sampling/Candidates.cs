namespace LServe.Inference;

/// <summary>The tokens that top-k, top-p and min-p leave, most likely first; reused from draw to draw.</summary>
internal sealed class Candidates(int vocabularySize)
{
    private readonly int[] _ids = new int[vocabularySize];
    private readonly float[] _negated = new float[vocabularySize];
    private int _count;

    /// <param name="weights">[vocabulary], the largest is 1.</param>
    /// <param name="sum">Of all weights.</param>
    /// <param name="u">Uniform in [0, 1).</param>
    public int Pick(ReadOnlySpan<float> weights, double sum, SamplingParams options, double u)
    {
        Collect(weights, Floor(weights.Length, sum, options));
        var kept = options.TopK > 0 ? Math.Min(options.TopK, _count) : _count;
        var mass = options.TopK > 0 ? MassOf(kept) : sum;
        if (options.TopP < 1) kept = Nucleus(kept, mass * options.TopP);
        var target = u * MassOf(kept);
        for (var i = 0; i < kept; i++)
            if ((target += _negated[i]) < 0)
                return _ids[i];
        return _ids[kept - 1];
    }

    /// <summary>The <paramref name="count"/> largest values with their indices, largest first, ties to the lower index.</summary>
    public static TokenAlternative[] Largest(ReadOnlySpan<float> values, int count)
    {
        var found = new TokenAlternative[Math.Min(count, values.Length)];
        var filled = 0;
        for (var i = 0; i < values.Length && found.Length > 0; i++)
        {
            if (filled == found.Length && values[i] <= found[^1].Logprob) continue;
            var at = filled < found.Length ? filled++ : filled - 1;
            for (; at > 0 && found[at - 1].Logprob < values[i]; at--) found[at] = found[at - 1];
            found[at] = new(i, values[i]);
        }
        return found;
    }

    /// <summary>
    /// A weight that no kept token is below: min-p's bound. When top-p alone decides, tokens below (1 − p) / V of the mass can't be
    /// among the most likely ones that make up p, since all of them together hold less than 1 − p; leaving them out spares their sort.
    /// </summary>
    private static float Floor(int vocabulary, double sum, SamplingParams options)
    {
        var tail = options is { TopK: 0, TopP: < 1 } ? (1 - options.TopP) / vocabulary * sum : 0;
        return (float)Math.Max(options.MinP, tail);
    }

    private void Collect(ReadOnlySpan<float> weights, float floor)
    {
        _count = 0;
        for (var i = 0; i < weights.Length; i++)
        {
            if (weights[i] < floor || weights[i] <= 0) continue;
            (_negated[_count], _ids[_count]) = (-weights[i], i);
            _count++;
        }
        SortByWeightThenId();
    }

    /// <summary>Most likely first; equal ones by id, since the sort itself isn't stable.</summary>
    private void SortByWeightThenId()
    {
        Array.Sort(_negated, _ids, 0, _count);
        for (var start = 0; start < _count;)
        {
            var end = start + 1;
            while (end < _count && _negated[end] == _negated[start]) end++;
            if (end - start > 1) Array.Sort(_ids, start, end - start);
            start = end;
        }
    }

    private double MassOf(int kept)
    {
        var mass = 0.0;
        for (var i = 0; i < kept; i++) mass -= _negated[i];
        return mass;
    }

    /// <summary>Length of the shortest prefix with at least <paramref name="target"/> mass.</summary>
    private int Nucleus(int available, double target)
    {
        var mass = 0.0;
        for (var i = 0; i < available; i++)
            if ((mass -= _negated[i]) >= target)
                return i + 1;
        return available;
    }
}
