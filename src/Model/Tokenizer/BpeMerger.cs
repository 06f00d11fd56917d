namespace LServe.Model;

/// <summary>
/// Byte-pair encoding of one word: the pair of lowest rank merges first, the leftmost of equals. A linked list of symbols and a queue of
/// candidate pairs, so that a word of n symbols takes n·log n. Holds scratch memory: one thread at a time.
/// </summary>
/// <remarks>Sennrich et al., arXiv 1508.07909.</remarks>
internal sealed class BpeMerger(MergeTable merges)
{
    /// <summary>Symbols of a word whose scratch memory is kept for the next one.</summary>
    public const int MaxKeptSymbols = 4096;

    private const int None = -1;

    private readonly record struct Candidate(int Left, int LeftToken, int RightToken, int Merged);

    private PriorityQueue<Candidate, long> _candidates = new();
    private int[] _tokens = new int[64], _previous = new int[64], _next = new int[64];

    /// <summary>
    /// Appends the tokens that <paramref name="symbols"/> merge to. Symbols below zero are no tokens; they never merge and are left out.
    /// </summary>
    public void Merge(ReadOnlySpan<int> symbols, List<int> output)
    {
        Link(symbols);
        while (_candidates.TryDequeue(out var candidate, out _)) Apply(candidate);
        for (var i = symbols.IsEmpty ? None : 0; i != None; i = _next[i])
            if (_tokens[i] >= 0)
                output.Add(_tokens[i]);
        if (symbols.Length > MaxKeptSymbols) Release();
    }

    private void Link(ReadOnlySpan<int> symbols)
    {
        if (_tokens.Length < symbols.Length)
        {
            var size = Math.Max(symbols.Length, 2 * _tokens.Length);
            (_tokens, _previous, _next) = (new int[size], new int[size], new int[size]);
        }
        symbols.CopyTo(_tokens);
        for (var i = 0; i < symbols.Length; i++) (_previous[i], _next[i]) = (i - 1, i + 1 < symbols.Length ? i + 1 : None);
        for (var i = 0; i + 1 < symbols.Length; i++) Consider(i, i + 1);
    }

    private void Consider(int left, int right)
    {
        if (left == None || right == None) return;
        var (a, b) = (_tokens[left], _tokens[right]);
        if (a >= 0 && b >= 0 && merges.TryGet(a, b, out var rank, out var merged))
            _candidates.Enqueue(new Candidate(left, a, b, merged), (long)rank << 32 | (uint)left);
    }

    private void Apply(Candidate candidate)
    {
        var left = candidate.Left;
        var right = _next[left];
        var isStale = right == None || _tokens[left] != candidate.LeftToken || _tokens[right] != candidate.RightToken;
        if (isStale) return;
        _tokens[left] = candidate.Merged;
        _tokens[right] = None;
        _next[left] = _next[right];
        if (_next[right] != None) _previous[_next[right]] = left;
        _next[right] = None;
        Consider(_previous[left], left);
        Consider(left, _next[left]);
    }

    private void Release()
    {
        _candidates = new();
        (_tokens, _previous, _next) = (new int[64], new int[64], new int[64]);
    }
}
