namespace LServe.Sessions;

/// <summary>What a record of a session's KV cache holds. The bytes are the engine's; stores never look into them.</summary>
public enum KvRecordKind
{
    /// <summary>A full page of the retrieval heads, 64 tokens in all layers. Never changes.</summary>
    RetrievalPage,

    /// <summary>A full page of the streaming heads. Never changes; goes when the window has passed it.</summary>
    StreamingPage,

    /// <summary>The last page of the retrieval heads while it is filled in part. Written anew by every turn.</summary>
    RetrievalTail,

    /// <summary>The last page of the streaming heads while it is filled in part. Written anew by every turn.</summary>
    StreamingTail,

    /// <summary>How many tokens are cached and which pages there are, statistics of open logical pages, and which pages selection keeps. Written anew by every turn.</summary>
    Selection,
}

/// <summary>Names a record within its session.</summary>
/// <param name="Index">Page, from 0, by position / 64; 0 for kinds of which there is one.</param>
public readonly record struct KvRecordId(KvRecordKind Kind, int Index);

public readonly record struct KvRecord(KvRecordId Id, ReadOnlyMemory<byte> Bytes);

/// <summary>Where a record is, and what must be found there.</summary>
/// <param name="File">Which of the session's files; a compaction begins a new one.</param>
/// <param name="Offset">Bytes from the file's start to the record's.</param>
/// <param name="Length">Bytes of the record without its header.</param>
/// <param name="Epoch">The turn that wrote it.</param>
/// <param name="Checksum">Of session, id, epoch, length and bytes together.</param>
public readonly record struct KvLocator(int File, long Offset, int Length, int Epoch, ulong Checksum);
