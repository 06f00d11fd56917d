namespace LServe.Model;

/// <summary>Type numbers of metadata values in GGUF files.</summary>
internal enum GgufType : uint
{
    UInt8 = 0, Int8 = 1, UInt16 = 2, Int16 = 3, UInt32 = 4, Int32 = 5, Float32 = 6, Bool = 7,
    String = 8, Array = 9, UInt64 = 10, Int64 = 11, Float64 = 12,
}

/// <summary>Where a metadata value lies in the file; it is read when asked for.</summary>
/// <param name="Element">Type of the elements of an array, else <paramref name="Type"/>.</param>
/// <param name="Offset">Of a scalar, of a string's first byte, or of an array's first element.</param>
/// <param name="Count">Bytes of a string, elements of an array, 1 for a scalar.</param>
internal readonly record struct GgufValue(GgufType Type, GgufType Element, long Offset, long Count);

internal static class GgufTypes
{
    /// <summary>Bytes of a value of fixed size, 0 for strings and arrays, -1 for a number that is no type.</summary>
    public static int Size(GgufType type) => type switch
    {
        GgufType.UInt8 or GgufType.Int8 or GgufType.Bool => 1,
        GgufType.UInt16 or GgufType.Int16 => 2,
        GgufType.UInt32 or GgufType.Int32 or GgufType.Float32 => 4,
        GgufType.UInt64 or GgufType.Int64 or GgufType.Float64 => 8,
        GgufType.String or GgufType.Array => 0,
        _ => -1,
    };
}
