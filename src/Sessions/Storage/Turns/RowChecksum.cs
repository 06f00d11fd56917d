using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace LServe.Sessions;

/// <summary>The checksum of a row: of all its columns, each with its length, so that no two rows spell the same bytes.</summary>
internal sealed class RowChecksum
{
    private readonly ArrayBufferWriter<byte> _bytes = new();

    public RowChecksum Add(long value)
    {
        BinaryPrimitives.WriteInt64LittleEndian(_bytes.GetSpan(sizeof(long)), value);
        _bytes.Advance(sizeof(long));
        return this;
    }

    public RowChecksum Add(string? text) => text is null ? Add(-1) : Add(Encoding.UTF8.GetBytes(text));

    public RowChecksum Add(ReadOnlySpan<byte> bytes)
    {
        Add(bytes.Length);
        _bytes.Write(bytes);
        return this;
    }

    public RowChecksum Add(ReadOnlySpan<int> numbers) => Add(MemoryMarshal.AsBytes(numbers));

    /// <param name="seed">Of a row that follows another one: that one's checksum.</param>
    public long Of(long seed = 0) => (long)XxHash64.Hash(_bytes.WrittenSpan, (ulong)seed);
}
