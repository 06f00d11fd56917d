namespace LServe.Model;

/// <summary>Reads the tokens of a GGUF file as the bytes they stand for.</summary>
internal static class GgufVocabulary
{
    private const string Tokens = "tokenizer.ggml.tokens", Types = "tokenizer.ggml.token_type";
    private const int MaxPieceBytes = 65_536;

    public static Vocabulary Read(GgufMetadata metadata, bool isByteLevel)
    {
        var pieces = metadata.RequiredStrings(Tokens);
        var types = metadata.OptionalNumbers<int>(Types, GgufType.Int32);
        if (types is { } t && t.Count != pieces.Count) throw metadata.Problem(Types, $"has {t.Count} types for {pieces.Count} tokens.");
        var builder = new Vocabulary.Builder(pieces.Count);
        var bytes = new byte[MaxPieceBytes];
        var token = 0;
        foreach (var piece in pieces)
        {
            if (piece.Length > MaxPieceBytes) throw metadata.Problem(Tokens, $"has a token of {piece.Length} bytes; at most {MaxPieceBytes} work.");
            var kind = types is { } known ? Kind(metadata, known, token) : TokenKind.Normal;
            if (!builder.TryAdd(Bytes(metadata, piece, kind, isByteLevel, bytes), kind))
                throw metadata.Problem(Tokens, $"has more than {ModelLimits.MaxVocabularyBytes} bytes of tokens.");
            token++;
        }
        return builder.Build();
    }

    private static TokenKind Kind(GgufMetadata metadata, GgufNumbers<int> types, int token)
    {
        var kind = types[token];
        return kind is >= (int)TokenKind.Normal and <= (int)TokenKind.Byte
            ? (TokenKind)kind
            : throw metadata.Problem(Types, types.OffsetOf(token), $"gives token {token} the unknown type {kind}.");
    }

    private static ReadOnlySpan<byte> Bytes(GgufMetadata metadata, ReadOnlySpan<byte> piece, TokenKind kind, bool isByteLevel, byte[] buffer)
    {
        if (kind == TokenKind.Byte) return PieceText.ByteOf(piece, buffer) ? buffer.AsSpan(0, 1) : throw metadata.Problem(Tokens, "has a byte token that is not spelled <0xHH>.");
        if (kind != TokenKind.Normal) return piece;
        var length = isByteLevel ? ByteAlphabet.Decode(piece, buffer) : PieceText.WithSpaces(piece, buffer);
        return length < 0 ? piece : buffer.AsSpan(0, length);
    }
}
