namespace LServe.Inference;

/// <summary>
/// How keys and values are stored. Those of few bits are kept per token and head as codes · scale + low, after a rotation, keys after
/// centring too (docs/KV_LAYOUT.md).
/// </summary>
public enum KvPrecision
{
    /// <summary>As computed; for references and tests.</summary>
    F32,

    /// <summary>Rounded to nearest even, clamped to ±65504.</summary>
    F16,

    /// <summary>8-bit keys and values.</summary>
    Int8,

    /// <summary>8-bit keys, 4-bit values.</summary>
    K8V4,

    /// <summary>4-bit keys and values.</summary>
    Int4,
}

/// <summary>Sizes of a <see cref="KvPrecision"/>.</summary>
public static class KvPrecisions
{
    public static int KeyBits(this KvPrecision precision) => precision switch
    {
        KvPrecision.F32 => 32,
        KvPrecision.F16 => 16,
        KvPrecision.Int8 or KvPrecision.K8V4 => 8,
        KvPrecision.Int4 => 4,
        _ => throw new ArgumentOutOfRangeException(nameof(precision)),
    };

    public static int ValueBits(this KvPrecision precision) => precision == KvPrecision.K8V4 ? 4 : precision.KeyBits();

    /// <summary>Whether numbers are codes with a scale and a low end.</summary>
    public static bool IsQuantised(this KvPrecision precision) => precision.KeyBits() <= 8;
}
