using System.Buffers.Binary;
using LServe.Model;
using LServe.Tests.Support;

namespace LServe.Tests.Unit.Model;

public class GgufHostileTests
{
    private const long MaxAllocatedBytes = 32 << 20;

    private static readonly TinyModelOptions Small = new()
        { Layers = 1, HiddenSize = 32, QueryHeads = 2, KvHeads = 1, FeedForwardSize = 32, MatrixType = TensorType.Q4_0 };

    [Fact]
    public void Damaged_headers_give_one_kind_of_error_and_no_large_allocation()
    {
        const int mutations = 3000;
        var bytes = TinyModel.Bytes(Small);
        var mutator = new Mutator(bytes, HeaderLength(bytes));
        var refused = 0;
        for (var seed = 0; seed < mutations; seed++) refused += OpenDamaged(mutator.Mutate(seed), seed) ? 0 : 1;
        Assert.InRange(refused, mutations / 4, mutations - 1); // both outcomes are really tried
    }

    [Fact]
    public void Every_truncation_is_refused_with_the_file_s_name()
    {
        var bytes = TinyModel.Bytes(Small);
        foreach (var length in Enumerable.Range(1, 64).Concat(Enumerable.Range(1, 60).Select(i => bytes.Length * i / 61)))
        {
            using var file = new TemporaryFile(bytes[..length]);
            var error = Assert.Throws<ModelFileException>(() => ModelFile.Open(file.Path));
            Assert.Contains(file.Path, error.Message);
        }
    }

    [Theory]
    [InlineData("GGML", 3, "magic")]
    [InlineData("GGUF", 1, "version")]
    [InlineData("GGUF", 0x03000000, "version")]
    public void Other_formats_are_named(string magic, int version, string field)
    {
        var bytes = TinyModel.Bytes(Small);
        System.Text.Encoding.ASCII.GetBytes(magic, bytes);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4), version);
        Assert.Equal(field, Refusal(bytes).Field);
    }

    [Fact]
    public void Counts_beyond_the_file_are_refused_where_they_stand()
    {
        foreach (var (place, field) in new[] { (8, "tensor_count"), (16, "metadata_kv_count") })
        {
            var bytes = TinyModel.Bytes(Small);
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(place), 1ul << 60);
            var error = Refusal(bytes);
            Assert.Equal((field, (long)place), (error.Field, error.Offset));
        }
    }

    [Fact]
    public void A_string_of_2_to_the_60_bytes_names_field_and_offset()
    {
        var bytes = TinyModel.Bytes(Small);
        var place = bytes.AsSpan().IndexOf("general.architecture"u8) + "general.architecture".Length + 4;
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(place), 1ul << 60);
        var error = Refusal(bytes);
        Assert.Equal(("general.architecture", place + 8L), (error.Field, error.Offset));
    }

    [Fact]
    public void Unknown_kinds_say_which_ones_work()
    {
        Assert.Contains("llama", Refusal(new GgufWriter().Add("general.architecture", "mamba").ToArray()).Message);
        var bytes = new GgufWriter().Add("general.architecture", "llama").AddTensor("x", 16, [256], new byte[66]).ToArray();
        var error = Refusal(bytes);
        Assert.Contains("IQ2_XXS", error.Message);
        Assert.Contains("IQ4_XS", error.Message);
    }

    [Fact]
    public void Arrays_nested_deep_are_refused()
    {
        var bytes = new List<byte>(TinyModel.Bytes(Small)[..24]) { };
        BinaryPrimitives.WriteUInt64LittleEndian(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(bytes)[16..], 1);
        bytes.AddRange([1, 0, 0, 0, 0, 0, 0, 0, (byte)'k', 9, 0, 0, 0]);
        for (var depth = 0; depth < 10_000; depth++) bytes.AddRange([9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
        Assert.Contains("nests", Refusal([.. bytes]).Message);
    }

    [Fact]
    public void Overlapping_and_misaligned_tensors_are_refused()
    {
        var bytes = TinyModel.Bytes(Small);
        var name = "blk.0.attn_norm.weight"u8;
        var offset = bytes.AsSpan().IndexOf(name) + name.Length + 4 + 8 + 4; // one dimension, type, offset
        foreach (var (value, word) in new[] { (0ul, "overlaps"), (1ul, "alignment"), (1ul << 62, "past the end") })
        {
            var damaged = bytes.ToArray();
            BinaryPrimitives.WriteUInt64LittleEndian(damaged.AsSpan(offset), value);
            Assert.Contains(word, Refusal(damaged).Message);
        }
    }

    [Fact]
    public void A_tensor_too_many_or_of_another_shape_is_refused()
    {
        var bytes = TinyModel.Bytes(Small with { Layers = 2 });
        var blocks = bytes.AsSpan().IndexOf("llama.block_count"u8) + "llama.block_count".Length + 4;
        bytes[blocks] = 1;
        Assert.Contains("blk.1.", Refusal(bytes).Field);

        bytes = TinyModel.Bytes(Small);
        var width = bytes.AsSpan().IndexOf("llama.feed_forward_length"u8) + "llama.feed_forward_length".Length + 4;
        bytes[width] = 64;
        Assert.Contains("ffn_gate", Refusal(bytes).Field);
    }

    [Fact]
    public void A_missing_file_and_a_folder_are_errors_of_the_file()
    {
        Assert.Contains("does not exist", Assert.Throws<ModelFileException>(() => ModelFile.Open("/no/such/model.gguf")).Message);
        using var empty = new TemporaryFile([]);
        Assert.Contains("empty", Assert.Throws<ModelFileException>(() => ModelFile.Open(empty.Path)).Message);
    }

    private static ModelFileException Refusal(byte[] bytes)
    {
        using var file = new TemporaryFile(bytes);
        return Assert.Throws<ModelFileException>(() => ModelFile.Open(file.Path).Dispose());
    }

    private static bool OpenDamaged(byte[] bytes, int seed)
    {
        using var file = new TemporaryFile(bytes);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var opened = false;
        try
        {
            using var model = ModelFile.Open(file.Path);
            opened = true;
            _ = model.Tokenizer.Decode(model.Tokenizer.Encode("hello <|im_end|> wörld 12", parseSpecial: true));
        }
        catch (ModelFileException)
        {
        }
        catch (Exception e)
        {
            Assert.Fail($"seed {seed}: {e}");
        }
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(allocated < MaxAllocatedBytes, $"seed {seed}: {allocated} bytes allocated");
        return opened;
    }

    private static int HeaderLength(byte[] bytes) => bytes.AsSpan().IndexOf("output.weight"u8) + 64;
}
