using LServe.Model;
using LServe.Tests.Support;

namespace LServe.Tests.Unit.Model;

public class TensorFormatTests
{
    private static readonly ReferenceTensors Reference = ReferenceTensors.Open(RepositoryFiles.Reference("quant", "blocks.safetensors"));

    public static TheoryData<TensorType> Types => [.. Enum.GetValues<TensorType>()];

    public static TheoryData<TensorType> ReferenceTypes => [.. Enum.GetValues<TensorType>().Where(t => t != TensorType.F32)];

    [Theory, MemberData(nameof(ReferenceTypes))]
    public void Values_equal_the_reference_to_the_last_bit_or_one_unit(TensorType type)
    {
        var expected = Reference.Floats($"{type}.values");
        var actual = new float[expected.Length];
        TensorFormat.Dequantise(type, Reference.Bytes($"{type}.bytes"), actual);
        for (var i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(BitConverter.SingleToInt32Bits(expected[i]) - BitConverter.SingleToInt32Bits(actual[i])) <= 1 || expected[i] == actual[i],
                $"value {i}: {actual[i]:R} instead of {expected[i]:R}");
    }

    [Fact]
    public void Float32_is_read_as_it_is()
    {
        var values = new float[2];
        TensorFormat.Dequantise(TensorType.F32, [0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0], values);
        Assert.Equal([1f, -2f], values);
    }

    [Theory, MemberData(nameof(Types))]
    public void Lengths_that_are_no_whole_blocks_are_refused(TensorType type)
    {
        var (values, bytes) = (TensorFormat.BlockValues(type), TensorFormat.BlockBytes(type));
        Assert.Throws<ArgumentException>(() => TensorFormat.Dequantise(type, new byte[bytes - 1], new float[values]));
        Assert.Throws<ArgumentException>(() => TensorFormat.Dequantise(type, new byte[bytes], new float[values * 2]));
        if (values > 1) Assert.Throws<ArgumentException>(() => TensorFormat.Dequantise(type, new byte[bytes], new float[values - 1]));
    }
}
