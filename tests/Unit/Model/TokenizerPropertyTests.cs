using System.Text;
using FsCheck;
using FsCheck.Fluent;
using LServe.Model;
using LServe.Tests.Support;

namespace LServe.Tests.Unit.Model;

public class TokenizerPropertyTests(BundledModel model) : IClassFixture<BundledModel>
{
    private static readonly string[] Snippets =
    [
        " ", "  ", "\n", "\r\n", "\t", "'s", "'LL", "1", "42", "a", "the", " the", "Hello", "<|im_end|>", "<|im_start|>", "<|", "é", "e\u0301", "日本", "👍🏽",
        "\u00A0", "\u3000", "\u0000", "!?", "—", "½", "ﬁ", "אב", "\u200D",
    ];

    /// <summary>Control characters that the bundled vocabulary has no token for.</summary>
    private static readonly int[] Unspeakable = [0x04, 0x06, 0x13, 0x14, 0x16, 0x1D];

    /// <summary>
    /// The bundled vocabulary has no token for the bytes that start characters beyond plane 3, where hardly any are assigned.
    /// </summary>
    private static readonly Arbitrary<string> Texts = TextsUpTo(0x3FFFF);

    private ITokenizer Tokenizer => model.File.Tokenizer;

    [Fact]
    public void Any_text_decodes_back_to_itself() =>
        Check(text => Tokenizer.Decode(Tokenizer.Encode(text)) == text && Tokenizer.Decode(Tokenizer.Encode(text, parseSpecial: true), withSpecial: true) == text);

    [Fact]
    public void With_all_bytes_in_the_vocabulary_any_text_of_any_plane_decodes_back()
    {
        using var file = new TemporaryFile(TinyModel.Bytes());
        using var tiny = ModelFile.Open(file.Path);
        Prop.ForAll(TextsUpTo(0x10FFFF), text => tiny.Tokenizer.Decode(tiny.Tokenizer.Encode(text)) == text).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Text_from_users_never_becomes_a_special_token() => Check(text =>
    {
        var ids = new List<int>();
        Tokenizer.Encode([new TemplateSegment(text, IsMarkup: false)], ids);
        return !ids.Concat(Tokenizer.Encode(text)).Any(Tokenizer.IsSpecial);
    });

    [Fact]
    public void However_content_is_cut_the_tokens_are_those_of_the_whole() =>
        Prop.ForAll(Texts, ArbMap.Default.ArbFor<int>(), (text, seed) =>
    {
        var segments = new List<TemplateSegment>();
        var random = new Random(seed);
        for (var rest = text; rest.Length > 0;)
        {
            var length = random.Next(1, rest.Length + 1);
            segments.Add(new(rest[..length], IsMarkup: false));
            rest = rest[length..];
        }
        var ids = new List<int>();
        Tokenizer.Encode(segments, ids);
        return ids.SequenceEqual(Tokenizer.Encode(text));
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Streamed_pieces_join_to_the_whole_and_are_never_half_a_character() => Check(text =>
    {
        var decoder = new StreamingDecoder(Tokenizer);
        var pieces = Tokenizer.Encode(text).Select(decoder.Append).Append(decoder.Flush()).ToArray();
        return string.Concat(pieces) == text && pieces.All(p => p.Length == 0 || !char.IsLowSurrogate(p[0]) && !char.IsHighSurrogate(p[^1]));
    });

    [Fact]
    public void Any_tokens_stream_to_what_they_decode_to() =>
        Prop.ForAll(Gen.Choose(0, Tokenizer.VocabularySize - 1).ListOf().ToArbitrary(), ids =>
    {
        var decoder = new StreamingDecoder(Tokenizer);
        return string.Concat(ids.Select(decoder.Append)) + decoder.Flush() == Tokenizer.Decode([.. ids]);
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Half_surrogates_become_replacement_characters() => Assert.Equal("a\uFFFDb", Tokenizer.Decode(Tokenizer.Encode("a\uD83Db")));

    [Fact]
    public void A_megabyte_without_a_border_is_encoded()
    {
        Assert.Equal(250_000, Tokenizer.Encode(new string('a', 1_000_000)).Length);
        Assert.Equal(1_000_000, Tokenizer.Encode(new string('7', 1_000_000)).Length);
    }

    [Fact]
    public void Many_threads_get_what_one_gets()
    {
        var texts = Enumerable.Range(0, 200).Select(i => $"thread {i} says word{i % 7} and {i * i}").ToArray();
        var expected = texts.Select(t => Tokenizer.Encode(t)).ToArray();
        Parallel.For(0, 2000, i => Assert.Equal(expected[i % 200], Tokenizer.Encode(texts[i % 200])));
    }

    private static Arbitrary<string> TextsUpTo(int last) =>
        Gen.OneOf(Gen.Elements(Snippets), Gen.Choose(0, last).Where(v => Rune.IsValid(v) && !Unspeakable.Contains(v)).Select(v => new Rune(v).ToString())).ListOf().Select(string.Concat).ToArbitrary();

    private static void Check(Func<string, bool> property) => Prop.ForAll(Texts, property).QuickCheckThrowOnFailure();
}
