using FsCheck;
using FsCheck.Fluent;
using LServe.Model;
using LServe.Tests.Support;

namespace LServe.Tests.Unit.Model;

/// <summary>SentencePiece's BPE on the vocabulary of a reference model: bytes, a space before each of a few letters, and nothing else.</summary>
public sealed class SentencePieceTests : IDisposable
{
    private readonly ModelFile _model = ModelFile.Open(RepositoryFiles.Reference("tiny", "llama2-gguf-mixed", "model.gguf"));

    private ITokenizer Tokenizer => _model.Tokenizer;

    [Fact]
    public void Any_text_decodes_back_to_itself_and_streams_the_same() => Prop.ForAll<NonNull<string>>(value =>
    {
        var text = value.Get.Replace(SentencePieceBpe.SpaceMark, ' ');
        if (text.Any(char.IsSurrogate)) return true;
        var ids = Tokenizer.Encode(text);
        var decoder = new StreamingDecoder(Tokenizer);
        return Tokenizer.Decode(ids) == text && string.Concat(ids.Select(decoder.Append)) + decoder.Flush() == text;
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void The_space_before_a_text_is_no_part_of_it_unless_the_text_goes_on()
    {
        var ids = Tokenizer.Encode("b");
        Assert.Equal("b", Tokenizer.Decode(ids));
        Assert.Equal("b", new StreamingDecoder(Tokenizer).Append(ids[^1]).TrimStart());
        Assert.Equal(" ", string.Concat(ids.Select(new StreamingDecoder(Tokenizer, continues: true).Append))[..1]);
    }

    [Fact]
    public void A_text_that_goes_on_gets_no_space_before_it()
    {
        var ids = new List<int>();
        Tokenizer.EncodeContinuation("b c", ids);
        var decoder = new StreamingDecoder(Tokenizer, continues: true);
        Assert.Equal("b c", string.Concat(ids.Select(decoder.Append)));
    }

    [Fact]
    public void Characters_without_a_piece_become_bytes() =>
        Assert.Equal([0xE2 + 3, 0x82 + 3, 0xAC + 3], Tokenizer.Encode("€")[^3..]);

    [Fact]
    public void Scores_decide_what_merges_first()
    {
        string[] pieces = ["a", "b", "c", "ab", "bc", "abc"];
        Assert.Equal(["ab", "c"], Cut("abc", pieces, [0, 0, 0, -1, -2, float.NegativeInfinity], without: "abc"));
        Assert.Equal(["a", "bc"], Cut("abc", pieces, [0, 0, 0, -2, -1, 0], without: "abc"));
        Assert.Equal(["abc"], Cut("abc", pieces, [0, 0, 0, -2, -1, -3]));
        Assert.Equal(["ab", "ab", "c"], Cut("ababc", pieces, [0, 0, 0, -1, -1, 0], without: "abc"));
    }

    public void Dispose() => _model.Dispose();

    private static string[] Cut(string text, string[] pieces, float[] scores, string? without = null)
    {
        var builder = new Vocabulary.Builder(pieces.Length);
        foreach (var piece in pieces) builder.TryAdd(System.Text.Encoding.UTF8.GetBytes(piece), piece == without ? TokenKind.Unused : TokenKind.Normal);
        var vocabulary = builder.Build();
        var index = new PieceIndex(vocabulary);
        var merges = SentencePieceMerges.Build(vocabulary, index, token => scores[token])!;
        ITokenizer tokenizer = new SentencePieceBpe(vocabulary, index, merges, SpacePrefix.None, null, []);
        return [.. tokenizer.Encode(text).Select(id => pieces[id])];
    }
}
