using System.Runtime.CompilerServices;

namespace LServe.Model;

/// <summary>Reads the tokens of a GGUF file as the bytes they stand for.</summary>
internal static class GgufVocabulary
{
    private const string Tokens = "tokenizer.ggml.tokens", Types = "tokenizer.ggml.token_type";
    private const int MaxPieceBytes = 65_536;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Vocabulary Read(GgufMetadata metadata, PieceSpelling spelling)
    {
        var pieces = metadata.RequiredStrings(Tokens);
        var types = metadata.OptionalNumbers<int>(Types, GgufType.Int32);
        if (types is { } t && t.Count != pieces.Count) throw metadata.Problem(Types, $"has {t.Count} types for {pieces.Count} tokens.");
        var builder = new Vocabulary.Builder(pieces.Count);
        var buffer = new byte[MaxPieceBytes];
        var (token, enumerator) = (0, pieces.GetEnumerator());
        for (; enumerator.MoveNext(); token++)
        {
            var piece = enumerator.Current;
            if (piece.Length > MaxPieceBytes)
                throw metadata.Problem(Tokens, enumerator.Offset, $"token {token} has {piece.Length} bytes; at most {MaxPieceBytes} work.");
            var kind = types is { } known ? Kind(metadata, known, token) : TokenKind.Normal;
            var bytes = PieceText.Decode(piece, kind, spelling, buffer);
            if (kind == TokenKind.Byte && bytes.IsEmpty)
                throw metadata.Problem(Tokens, enumerator.Offset, $"byte token {token} is not spelled <0xHH>.");
            if (!builder.TryAdd(bytes, kind))
                throw metadata.Problem(Tokens, $"has more than {ModelLimits.MaxVocabularyBytes} bytes of tokens.");
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
}
