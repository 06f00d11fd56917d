using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
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
    private const int Lanes = 4;

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
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Quantise(float* x, float* centre, int dim, int bits, byte* codes, ushort* scales)
    {
        var exact = stackalloc double[MaxDim];
        var rotated = stackalloc float[MaxDim];
        Widen(x, centre, dim, exact);
        Hadamard.Rotate(exact, dim);
        Narrow(exact, dim, rotated);
        var (least, most) = Range(rotated, dim);
        float top = (1 << bits) - 1;
        scales[Tokens] = HalfBits.FromSingle(least);
        var low = HalfBits.ToSingle(scales[Tokens]);
        scales[0] = HalfBits.FromSingle(MathF.Max((most - low) / top, 0));
        Encode(rotated, dim, low, HalfBits.ToSingle(scales[0]), top, codes);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Widen(float* x, float* centre, int dim, double* to)
    {
        var i = 0;
        for (; i + Lanes <= dim; i += Lanes)
        {
            Vector128<float> a = Vector128.Load(x + i), b = centre == null ? Vector128<float>.Zero : Vector128.Load(centre + i);
            (Vector128.WidenLower(a) - Vector128.WidenLower(b)).Store(to + i);
            (Vector128.WidenUpper(a) - Vector128.WidenUpper(b)).Store(to + i + 2);
        }
        for (; i < dim; i++) to[i] = centre == null ? x[i] : (double)x[i] - centre[i];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Narrow(double* x, int dim, float* to)
    {
        var i = 0;
        for (; i + Lanes <= dim; i += Lanes) Vector128.Narrow(Vector128.Load(x + i), Vector128.Load(x + i + 2)).Store(to + i);
        for (; i < dim; i++) to[i] = (float)x[i];
    }

    /// <summary>The least and the largest number; NaN if one is.</summary>
    private static (float Least, float Most) Range(float* x, int dim)
    {
        Vector128<float> least = Vector128.Create(float.PositiveInfinity), most = Vector128.Create(float.NegativeInfinity);
        var i = 0;
        for (; i + Lanes <= dim; i += Lanes) (least, most) = (Vector128.Min(least, Vector128.Load(x + i)), Vector128.Max(most, Vector128.Load(x + i)));
        var (low, high) = (least[0], most[0]);
        for (var j = 1; j < Lanes; j++) (low, high) = (MathF.Min(low, least[j]), MathF.Max(high, most[j]));
        for (; i < dim; i++) (low, high) = (MathF.Min(low, x[i]), MathF.Max(high, x[i]));
        return (low, high);
    }

    /// <summary>round((x − low) / scale) within 0 … top; all 0 where the scale is 0 or none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Encode(float* x, int dim, float low, float scale, float top, byte* codes)
    {
        if (!(scale > 0))
        {
            new Span<byte>(codes, dim).Clear();
            return;
        }
        var i = 0;
        for (; i + Lanes <= dim; i += Lanes)
        {
            var code = Vector128.Round((Vector128.Load(x + i) - Vector128.Create(low)) / Vector128.Create(scale));
            var bounded = Vector128.ConvertToInt32(Vector128.Min(Vector128.Max(code, Vector128<float>.Zero), Vector128.Create(top)));
            *(uint*)(codes + i) = Vector128.Narrow(Vector128.Narrow(bounded, bounded).AsUInt16(), Vector128<ushort>.Zero).AsUInt32()[0];
        }
        for (; i < dim; i++) codes[i] = (byte)Math.Clamp(MathF.Round((x[i] - low) / scale), 0, top);
    }
}
