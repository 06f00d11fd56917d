using System.Runtime.CompilerServices;
using LServe.Inference;

namespace LServe.Cpu;

/// <summary>
/// Writes one token's key and value into a head's page. Codes are those of ALGORITHM's definition bit by bit: rotation in float64, then every
/// operation in float32 to nearest even, divisions as divisions; low = binary16(min), scale = binary16((max − low) / top).
/// </summary>
internal static unsafe class KvWriter
{
    private const int Tokens = KvGeometry.PageTokens;
    private const int MaxDim = 512;

    /// <param name="slot">Token within the page.</param>
    /// <param name="centre">[D] taken from quantised keys, or null.</param>
    public static void Write(byte* page, in KvPageLayout layout, KvGeometry geometry, int slot, float* key, float* value, float* centre)
    {
        var dim = geometry.HeadDim;
        if (geometry.Precision == KvPrecision.F32)
        {
            for (var i = 0; i < dim; i++) ((float*)page)[i * Tokens + slot] = key[i];
            for (var i = 0; i < dim; i++) ((float*)(page + layout.Values))[slot * dim + i] = value[i];
        }
        else if (geometry.Precision == KvPrecision.F16)
        {
            for (var i = 0; i < dim; i++) ((ushort*)page)[i * Tokens + slot] = HalfBits.FromSingle(key[i]);
            for (var i = 0; i < dim; i++) ((ushort*)(page + layout.Values))[slot * dim + i] = HalfBits.FromSingle(value[i]);
        }
        else WriteCodes(page, layout, geometry, slot, key, value, centre);
    }

    [SkipLocalsInit]
    private static void WriteCodes(byte* page, in KvPageLayout layout, KvGeometry geometry, int slot, float* key, float* value, float* centre)
    {
        var dim = geometry.HeadDim;
        if (dim > MaxDim) throw new NotSupportedException($"Quantised keys and values have at most {MaxDim} channels a head, not {dim}. Use f16.");
        var codes = stackalloc byte[MaxDim];
        Quantise(key, centre, dim, geometry.Precision.KeyBits(), codes, (ushort*)(page + layout.KeyScales) + slot);
        var shift = slot < Tokens / 2 ? 0 : 4;
        var at = page + slot % (Tokens / 2);
        if (geometry.Precision.KeyBits() == 8)
        {
            var low = at + layout.KeyLowPlane;
            for (var i = 0; i < dim; i++)
            {
                Put(at + i * KvPageLayout.PlaneRow, codes[i] >> 4, shift);
                Put(low + i * KvPageLayout.PlaneRow, codes[i] & 15, shift);
            }
        }
        else
            for (var i = 0; i < dim; i++) Put(at + i * KvPageLayout.PlaneRow, codes[i], shift);

        Quantise(value, null, dim, geometry.Precision.ValueBits(), codes, (ushort*)(page + layout.ValueScales) + slot);
        var row = page + layout.Values + slot * layout.ValueRow;
        if (geometry.Precision.ValueBits() == 8) Unsafe.CopyBlockUnaligned(row, codes, (uint)dim);
        else
            for (var i = 0; i < dim / 2; i++) row[i] = (byte)(codes[i] | (codes[i + dim / 2] << 4));
    }

    private static void Put(byte* at, int code, int shift) => *at = (byte)((*at & (0xF0 >> shift)) | (code << shift));

    /// <param name="scales">The token's scale; its low end lies 64 further.</param>
    [SkipLocalsInit]
    private static void Quantise(float* x, float* centre, int dim, int bits, byte* codes, ushort* scales)
    {
        var rotated = stackalloc double[MaxDim];
        for (var i = 0; i < dim; i++) rotated[i] = centre == null ? x[i] : (double)x[i] - centre[i];
        Hadamard.Rotate(rotated, dim);
        float least = float.PositiveInfinity, most = float.NegativeInfinity, top = (1 << bits) - 1;
        for (var i = 0; i < dim; i++)
        {
            least = MathF.Min(least, (float)rotated[i]);
            most = MathF.Max(most, (float)rotated[i]);
        }
        scales[Tokens] = HalfBits.FromSingle(least);
        var low = HalfBits.ToSingle(scales[Tokens]);
        scales[0] = HalfBits.FromSingle(MathF.Max((most - low) / top, 0));
        var scale = HalfBits.ToSingle(scales[0]);
        for (var i = 0; i < dim; i++)
            codes[i] = scale > 0 ? (byte)Math.Clamp(MathF.Round(((float)rotated[i] - low) / scale), 0, top) : (byte)0;
    }
}
