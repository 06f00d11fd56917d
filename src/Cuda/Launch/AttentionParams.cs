using System.Runtime.InteropServices;

namespace LServe.Cuda.Launch;

/// <summary>Where the KV pages of one layer are; mirror of the struct in <c>kernels/include/lserve/attention/params.h</c>, like all of this file.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct KvLayer
{
    public ulong Retrieval, Streaming, RetrievalStride, StreamingStride, Heads, RetrievalTable, StreamingTable, Position, Sequence;
    public int RetrievalWidth, StreamingWidth, KvHeads, RetrievalHeads, Sink, Local;
}

/// <summary>Consecutive tokens of one sequence within one logical page.</summary>
internal readonly record struct TokenRun(int FirstRow, int Count, int Position, int Sequence);

[StructLayout(LayoutKind.Sequential)]
internal struct AttentionAppendParams
{
    public KvLayer Kv;
    public ulong Keys, Values, Centre, Open, Runs, RowStride;
    public int Statistics, Unused;
}

/// <summary>Part of a row's page list: the work of one block of attention for each head of a kind.</summary>
internal readonly record struct DecodeItem(int Row, int Sequence, int Position, int First, int Count, int Split, int Splits, int Unused);

[StructLayout(LayoutKind.Sequential)]
internal struct AttentionPlanParams
{
    public ulong Position, Sequence, Retrieval, Streaming, Counts;
    public int Rows, Keep, Sink, Local;
}

[StructLayout(LayoutKind.Sequential)]
internal struct AttentionDecodeParams
{
    public KvLayer Kv;
    public ulong Queries, Output, OutputF32, Retrieval, Streaming, Counts, List, ListCount, Partial, Arrived, QueryStride, OutputStride;
    public int ListWidth, Settled;
}

/// <summary>Consecutive prompt rows of one sequence within 128 positions aligned to a multiple of 128.</summary>
/// <param name="List">Line of the page lists, or −1: all pages.</param>
internal readonly record struct PrefillBlock(int FirstRow, int Count, int Position, int Sequence, int List, int Unused0, int Unused1, int Unused2);

[StructLayout(LayoutKind.Sequential)]
internal struct AttentionPrefillParams
{
    public KvLayer Kv;
    public ulong Queries, Output, OutputF32, Blocks, List, ListCount, QueryStride, OutputStride;
    public int BlockCount, ListWidth;
}

[StructLayout(LayoutKind.Sequential)]
internal struct SelectParams
{
    public KvLayer Kv;
    public ulong Queries, Open, FirstAfterPrompt, Scores, Candidates, CandidateCount, List, ListCount, Arrived, QueryStride;
    public int ScoreStride, CandidateWidth, ListWidth, SinkPages, RecentPages, Interval, Policy;
    public float Deviation;
    public int Settled, Unused;
}
