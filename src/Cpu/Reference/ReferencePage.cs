using System.Runtime.InteropServices;
using LServe.Inference;

namespace LServe.Cpu;

/// <summary>
/// One head's page: [token][keys], [token][values], then of quantised ones [token][key scale, key low, value scale, value low] in float16,
/// then of retrieval heads [logical page][two statistics][channel] in float16.
/// </summary>
internal readonly ref struct ReferencePage(KvPrecision precision, int dim, Span<byte> bytes)
{
    private readonly Span<byte> _bytes = bytes;
    private readonly int _keyBytes = dim * precision.KeyBits() / 8, _valueBytes = dim * precision.ValueBits() / 8;

    public Span<byte> Key(int slot) => _bytes.Slice(slot * _keyBytes, _keyBytes);

    public Span<byte> Value(int slot) => _bytes.Slice(KvGeometry.PageTokens * _keyBytes + slot * _valueBytes, _valueBytes);

    public Span<Half> KeyScale(int slot) => Scales(slot)[..2];

    public Span<Half> ValueScale(int slot) => Scales(slot)[2..];

    /// <summary>[2, D] of a logical page.</summary>
    public Span<Half> Statistics(int logical)
    {
        var at = KvGeometry.PageTokens * (_keyBytes + _valueBytes + (precision.IsQuantised() ? 4 * sizeof(ushort) : 0));
        return MemoryMarshal.Cast<byte, Half>(_bytes[at..]).Slice(logical * 2 * dim, 2 * dim);
    }

    private Span<Half> Scales(int slot) =>
        MemoryMarshal.Cast<byte, Half>(_bytes[(KvGeometry.PageTokens * (_keyBytes + _valueBytes))..]).Slice(slot * 4, 4);
}
