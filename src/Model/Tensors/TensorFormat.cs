namespace LServe.Model;

/// <summary>
/// What the bytes of a <see cref="TensorType"/> mean. A row is a sequence of blocks; a block holds a fixed count of values in a fixed
/// count of bytes. The decoders here are the plain truth that faster ones are tested against.
/// </summary>
/// <remarks>Block layouts: ggml's quantised types, ggml-common.h of the ggml project.</remarks>
public static class TensorFormat
{
    private const int LegacyBlock = 32, SuperBlock = 256;

    /// <summary>Names of all types that work, for messages.</summary>
    public static string SupportedNames { get; } = string.Join(", ", Enum.GetNames<TensorType>());

    public static bool IsSupported(TensorType type) => Enum.IsDefined(type);

    /// <summary>Values of one block; a row's length is a multiple of it.</summary>
    public static int BlockValues(TensorType type) => type switch
    {
        TensorType.F32 or TensorType.F16 or TensorType.BF16 => 1,
        TensorType.Q4_0 or TensorType.Q4_1 or TensorType.Q5_0 or TensorType.Q5_1 or TensorType.Q8_0 or TensorType.IQ4_NL => LegacyBlock,
        TensorType.Q2_K or TensorType.Q3_K or TensorType.Q4_K or TensorType.Q5_K or TensorType.Q6_K or TensorType.IQ4_XS => SuperBlock,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, $"These work: {SupportedNames}."),
    };

    /// <summary>Bytes of one block.</summary>
    public static int BlockBytes(TensorType type) => type switch
    {
        TensorType.F32 => 4,
        TensorType.F16 or TensorType.BF16 => 2,
        TensorType.Q4_0 => 18,
        TensorType.Q4_1 => 20,
        TensorType.Q5_0 => 22,
        TensorType.Q5_1 => 24,
        TensorType.Q8_0 => 34,
        TensorType.Q2_K => 84,
        TensorType.Q3_K => 110,
        TensorType.Q4_K => 144,
        TensorType.Q5_K => 176,
        TensorType.Q6_K => 210,
        TensorType.IQ4_NL => 18,
        TensorType.IQ4_XS => 136,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, $"These work: {SupportedNames}."),
    };

    /// <summary>Bytes of a row of <paramref name="columns"/> values, a multiple of the block.</summary>
    public static long RowBytes(TensorType type, int columns) => (long)(columns / BlockValues(type)) * BlockBytes(type);

    /// <summary>Decodes whole blocks into float32.</summary>
    /// <exception cref="ArgumentException">The lengths are not those of the same count of whole blocks.</exception>
    public static void Dequantise(TensorType type, ReadOnlySpan<byte> source, Span<float> values)
    {
        var blocks = values.Length / BlockValues(type);
        if (values.Length % BlockValues(type) != 0 || source.Length != (long)blocks * BlockBytes(type))
            throw new ArgumentException($"{values.Length} values of {type} are not {source.Length} bytes.");
        switch (type)
        {
            case TensorType.F32: FloatFormats.F32(source, values); break;
            case TensorType.F16: FloatFormats.F16(source, values); break;
            case TensorType.BF16: FloatFormats.BF16(source, values); break;
            default: DequantiseBlocks(type, source, values); break;
        }
    }

    private static void DequantiseBlocks(TensorType type, ReadOnlySpan<byte> source, Span<float> values)
    {
        var (size, count) = (BlockBytes(type), BlockValues(type));
        for (; !values.IsEmpty; source = source[size..], values = values[count..]) Block(type, source[..size], values[..count]);
    }

    private static void Block(TensorType type, ReadOnlySpan<byte> block, Span<float> values)
    {
        switch (type)
        {
            case TensorType.Q4_0: LegacyFormats.Q4_0(block, values); break;
            case TensorType.Q4_1: LegacyFormats.Q4_1(block, values); break;
            case TensorType.Q5_0: LegacyFormats.Q5_0(block, values); break;
            case TensorType.Q5_1: LegacyFormats.Q5_1(block, values); break;
            case TensorType.Q8_0: LegacyFormats.Q8_0(block, values); break;
            case TensorType.Q2_K: KFormats.Q2_K(block, values); break;
            case TensorType.Q3_K: KFormats.Q3_K(block, values); break;
            case TensorType.Q4_K: KFormats.Q4_K(block, values); break;
            case TensorType.Q5_K: KFormats.Q5_K(block, values); break;
            case TensorType.Q6_K: KFormats.Q6_K(block, values); break;
            case TensorType.IQ4_NL: NonLinearFormats.IQ4_NL(block, values); break;
            case TensorType.IQ4_XS: NonLinearFormats.IQ4_XS(block, values); break;
        }
    }
}
