using System.Buffers.Binary;
using LServe.Sessions;

namespace LServe.Stores.AzureBlob;

internal enum EntryKind
{
    /// <summary>What a turn added.</summary>
    Turn,

    /// <summary>Where a compaction moved records to.</summary>
    Moves,
}

/// <summary>
/// One block of a session's state blob, 40 bytes and three parts, little-endian. The checksum is of all the rest, seeded with the
/// checksum of the turn before, or with the session's number: a missing block, or another session's, is noticed as well.
/// <code>
/// 0  magic 'LST1'   4  kind   8  block id   16  turn   20  bytes of tokens   24  of body   28  of records   32  checksum   40  the parts
/// </code>
/// </summary>
/// <param name="Block">Names the block in the blob.</param>
/// <param name="Turn">The session's turns after it.</param>
/// <param name="Tokens">Token ids, 4 bytes each.</param>
/// <param name="Body">A turn's <see cref="TurnBody"/>.</param>
/// <param name="Records">Changes or moves of records, <see cref="RecordBytes"/>.</param>
internal sealed record StateEntry(EntryKind Kind, long Block, int Turn, ReadOnlyMemory<byte> Tokens, ReadOnlyMemory<byte> Body, ReadOnlyMemory<byte> Records)
{
    private const uint Magic = 0x3154534C;
    private const int HeaderBytes = 40, ChecksumAt = 32;

    /// <summary>The id that Azure knows the block by; all of a blob must be of one length.</summary>
    public string BlockId
    {
        get
        {
            Span<byte> bytes = stackalloc byte[sizeof(long)];
            BinaryPrimitives.WriteInt64LittleEndian(bytes, Block);
            return Convert.ToBase64String(bytes);
        }
    }

    /// <summary>The block's bytes.</summary>
    /// <param name="seed">Checksum of the turn before.</param>
    public byte[] Write(ulong seed, out ulong checksum)
    {
        var bytes = new byte[HeaderBytes + Tokens.Length + Body.Length + Records.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, Magic);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4), (int)Kind);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(8), Block);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(16), Turn);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(20), Tokens.Length);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(24), Body.Length);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(28), Records.Length);
        Tokens.CopyTo(bytes.AsMemory(HeaderBytes));
        Body.CopyTo(bytes.AsMemory(HeaderBytes + Tokens.Length));
        Records.CopyTo(bytes.AsMemory(HeaderBytes + Tokens.Length + Body.Length));
        checksum = Sum(bytes, seed);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(ChecksumAt), checksum);
        return bytes;
    }

    /// <summary>The entry that <paramref name="blob"/> begins with; null if there is none that is whole.</summary>
    /// <param name="seed">Of the checksum, by the entry's kind.</param>
    public static StateEntry? Read(ReadOnlyMemory<byte> blob, Func<EntryKind, ulong> seed, out int length, out ulong checksum)
    {
        (length, checksum) = (0, 0);
        var header = blob.Span;
        if (header.Length < HeaderBytes || BinaryPrimitives.ReadUInt32LittleEndian(header) != Magic) return null;
        var (tokens, body, records) = (
            BinaryPrimitives.ReadInt32LittleEndian(header[20..]), BinaryPrimitives.ReadInt32LittleEndian(header[24..]), BinaryPrimitives.ReadInt32LittleEndian(header[28..]));
        if (tokens < 0 || body < 0 || records < 0 || (long)HeaderBytes + tokens + body + records > blob.Length) return null;
        length = HeaderBytes + tokens + body + records;
        checksum = BinaryPrimitives.ReadUInt64LittleEndian(header[ChecksumAt..]);
        var kind = (EntryKind)BinaryPrimitives.ReadInt32LittleEndian(header[4..]);
        if (Sum(header[..length], seed(kind)) != checksum) return null;
        return new(
            kind, BinaryPrimitives.ReadInt64LittleEndian(header[8..]), BinaryPrimitives.ReadInt32LittleEndian(header[16..]),
            blob.Slice(HeaderBytes, tokens), blob.Slice(HeaderBytes + tokens, body), blob.Slice(HeaderBytes + tokens + body, records));
    }

    private static ulong Sum(ReadOnlySpan<byte> entry, ulong seed) =>
        XxHash64.Hash(entry[HeaderBytes..], XxHash64.Hash(entry[..ChecksumAt], seed));
}
