namespace LServe.Model;

/// <summary>What every token stands for, in one block of memory: pieces as bytes of text, special tokens as their spelling.</summary>
internal sealed class Vocabulary
{
    private readonly byte[] _bytes;
    private readonly int[] _starts;
    private readonly TokenKind[] _kinds;

    private Vocabulary(byte[] bytes, int[] starts, TokenKind[] kinds) => (_bytes, _starts, _kinds) = (bytes, starts, kinds);

    public int Count => _kinds.Length;
    public ReadOnlySpan<byte> this[int token] => _bytes.AsSpan(_starts[token].._starts[token + 1]);
    public TokenKind KindOf(int token) => _kinds[token];

    /// <summary>Whether the token's spelling in markup stands for the token itself.</summary>
    public bool IsMarkup(int token) => _kinds[token] is TokenKind.Control or TokenKind.UserDefined or TokenKind.Unknown;

    /// <summary>Collects tokens in the order of their numbers.</summary>
    internal sealed class Builder(int count)
    {
        private readonly int[] _starts = new int[count + 1];
        private readonly TokenKind[] _kinds = new TokenKind[count];
        private byte[] _bytes = new byte[8 * count];
        private int _next;

        /// <summary>False when the tokens together would be larger than <see cref="ModelLimits.MaxVocabularyBytes"/>.</summary>
        public bool TryAdd(ReadOnlySpan<byte> piece, TokenKind kind)
        {
            var start = _starts[_next];
            if (piece.Length > ModelLimits.MaxVocabularyBytes - start) return false;
            var end = start + piece.Length;
            if (end > _bytes.Length) Array.Resize(ref _bytes, Math.Max(end, 2 * _bytes.Length));
            piece.CopyTo(_bytes.AsSpan(start));
            _kinds[_next++] = kind;
            _starts[_next] = end;
            return true;
        }

        public Vocabulary Build() => new(_bytes, _starts, _kinds);
    }
}
