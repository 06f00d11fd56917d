using System.Text;

namespace LServe.Model;

/// <summary>
/// The tokens of <c>tokenizer.json</c>: those of the BPE model, and the added ones, which are found in markup as they are spelled.
/// </summary>
internal static class TokenizerJsonVocabulary
{
    private const int MaxPieceBytes = 65_536;

    private readonly record struct Entry(string Piece, TokenKind Kind);

    public static Vocabulary Read(JsonField root, PieceSpelling spelling, int size)
    {
        var entries = new Entry?[size];
        var model = root.Required("model");
        ReadModel(model, spelling, entries);
        foreach (var added in root.Optional("added_tokens")?.Items() ?? []) ReadAdded(added, model.Optional("unk_token")?.Text(), entries);
        return Build(root, spelling, entries);
    }

    private static void ReadModel(JsonField model, PieceSpelling spelling, Entry?[] entries)
    {
        var unknown = model.Optional("unk_token")?.Text();
        foreach (var (piece, field) in model.Required("vocab").Properties())
        {
            var token = field.Int(0, int.MaxValue);
            if (token >= entries.Length) throw field.Problem($"is token {token}, but the model has {entries.Length} tokens.");
            if (entries[token] is { } other) throw field.Problem($"is token {token}, as {other.Piece} is.");
            var isByte = spelling == PieceSpelling.SentencePiece && PieceText.TryByteOf(Encoding.UTF8.GetBytes(piece), out _);
            entries[token] = new(piece, isByte ? TokenKind.Byte : piece == unknown ? TokenKind.Unknown : TokenKind.Normal);
        }
    }

    private static void ReadAdded(JsonField added, string? unknown, Entry?[] entries)
    {
        var (id, piece) = (added.Required("id"), added.Required("content").Text());
        var token = id.Int(0, int.MaxValue);
        if (token >= entries.Length) throw id.Problem($"is {token}, but the model has {entries.Length} tokens.");
        if (entries[token] is { } other && other.Piece != piece) throw id.Problem($"is {token}, which is {other.Piece} as well.");
        var isSpecial = added.Optional("special")?.Flag() ?? false;
        entries[token] = new(piece, piece == unknown ? TokenKind.Unknown : isSpecial ? TokenKind.Control : TokenKind.UserDefined);
    }

    private static Vocabulary Build(JsonField root, PieceSpelling spelling, Entry?[] entries)
    {
        var (builder, buffer) = (new Vocabulary.Builder(entries.Length), new byte[MaxPieceBytes]);
        var field = root.Required("model").Required("vocab");
        foreach (var entry in entries)
        {
            var (piece, kind) = entry ?? new("", TokenKind.Unused);
            var bytes = Encoding.UTF8.GetBytes(piece);
            if (bytes.Length > MaxPieceBytes) throw field.Problem($"has a token of {bytes.Length} bytes; at most {MaxPieceBytes} work.");
            if (!builder.TryAdd(PieceText.Decode(bytes, kind, spelling, buffer), kind))
                throw field.Problem($"has more than {ModelLimits.MaxVocabularyBytes} bytes of tokens.");
        }
        return builder.Build();
    }
}
