namespace LServe.Sessions;

/// <summary>What a record of a session's KV cache holds. The bytes are the engine's; stores never look into them.</summary>
public enum KvRecordKind
{
    /// <summary>Keys and values of the retrieval heads, of some tokens of one page. Never changes: a turn adds records of what is new.</summary>
    Retrieval,

    /// <summary>Keys and values of the streaming heads, likewise; goes when the window has passed it.</summary>
    Streaming,

    /// <summary>How many tokens are cached and which pages there are, statistics of open logical pages, and which pages selection keeps. Written anew by every turn.</summary>
    Selection,
}

/// <summary>Names a record within its session.</summary>
/// <param name="First">Position of the first token, for kinds that hold tokens.</param>
/// <param name="End">Position after the last token, which is in the same page.</param>
public readonly record struct KvRecordId(KvRecordKind Kind, int First = 0, int End = 0);

public readonly record struct KvRecord(KvRecordId Id, ReadOnlyMemory<byte> Bytes);

/// <summary>Where a record is, and what must be found there.</summary>
/// <param name="File">Which of the session's files; a compaction begins a new one.</param>
/// <param name="Offset">Bytes from the file's start to the record's.</param>
/// <param name="Length">Bytes of the record without its header.</param>
/// <param name="Epoch">The turn that wrote it.</param>
/// <param name="Checksum">Of session, id, epoch, length and bytes together.</param>
public readonly record struct KvLocator(int File, long Offset, int Length, int Epoch, ulong Checksum)
{
    /// <summary>Bytes: longest record that is read; a locator that asks for more is damaged.</summary>
    public const int MaxLength = 1 << 30;
}

/// <summary>A record that is wanted, and where its bytes go.</summary>
/// <param name="To">Of the record's length.</param>
public readonly record struct KvRead(KvRecordId Id, KvLocator Place, Memory<byte> To);
