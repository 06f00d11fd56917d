using System.Buffers.Binary;

namespace LServe.Sessions;

/// <summary>
/// What precedes a record's bytes in a page file, 32 bytes, little-endian. The checksum covers the header's other fields and the
/// record, so that a whole record at another's place is noticed as well.
/// <code>
/// 0   magic 'LKV2'     4   kind    8   first    12  end    16  epoch    20  length    24  checksum
/// </code>
/// </summary>
internal static class RecordHeader
{
    public const int Bytes = 32;
    private const uint Magic = 0x32564B4C;
    private const int ChecksumAt = 24;

    /// <summary>Writes the header and gives the checksum.</summary>
    public static ulong Write(Span<byte> header, long session, KvRecordId id, int epoch, ReadOnlySpan<byte> record)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(header, Magic);
        BinaryPrimitives.WriteInt32LittleEndian(header[4..], (int)id.Kind);
        BinaryPrimitives.WriteInt32LittleEndian(header[8..], id.First);
        BinaryPrimitives.WriteInt32LittleEndian(header[12..], id.End);
        BinaryPrimitives.WriteInt32LittleEndian(header[16..], epoch);
        BinaryPrimitives.WriteInt32LittleEndian(header[20..], record.Length);
        var checksum = Sum(header, session, record);
        BinaryPrimitives.WriteUInt64LittleEndian(header[ChecksumAt..], checksum);
        return checksum;
    }

    /// <summary>Whether header and record are those that the locator was given for.</summary>
    public static bool IsIntact(ReadOnlySpan<byte> header, long session, KvRecordId id, KvLocator locator, ReadOnlySpan<byte> record)
    {
        Span<byte> expected = stackalloc byte[Bytes];
        return Write(expected, session, id, locator.Epoch, record) == locator.Checksum && header.SequenceEqual(expected);
    }

    private static ulong Sum(ReadOnlySpan<byte> header, long session, ReadOnlySpan<byte> record) =>
        XxHash64.Hash(record, XxHash64.Hash(header[..ChecksumAt], (ulong)session));
}
