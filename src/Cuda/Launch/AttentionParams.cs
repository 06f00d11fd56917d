using System.Runtime.InteropServices;

namespace LServe.Cuda.Launch;

/// <summary>Where the KV pages of one layer are; mirror of the struct in <c>kernels/include/lserve/attention/params.h</c>, like all of this file.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct KvLayer
{
    public ulong Retrieval, Streaming, RetrievalStride, StreamingStride, Heads, RetrievalTable, StreamingTable, Position, Sequence, Mode;
    public int RetrievalWidth, StreamingWidth, KvHeads, RetrievalHeads, Sink, Local, RetrievalBytes, StateHeads;
}

/// <summary>What a decode row does.</summary>
internal enum RowMode
{
    /// <summary>Sees everything.</summary>
    Dense = 0,

    /// <summary>The pages it chose, and windows.</summary>
    Sparse = 1,
}

/// <summary>Consecutive tokens of one sequence within one logical page.</summary>
internal readonly record struct TokenRun(int FirstRow, int Count, int Position, int Sequence);

[StructLayout(LayoutKind.Sequential)]
internal struct AttentionAppendParams
{
    public KvLayer Kv;
    public ulong Queries, Keys, Values, InverseFrequencies, QueryNorm, KeyNorm, Centre, Open, Runs, RowStride;
    public int Statistics, Group, Halves;
    public float Epsilon, Magnitude;
    public int Unused;
}

/// <summary>Part of a row's page list: the work of one block of attention for each head of a kind.</summary>
internal readonly record struct DecodeItem(int Row, int Sequence, int Position, int First, int Count, int Split, int Splits, int Dense);

[StructLayout(LayoutKind.Sequential)]
internal struct AttentionPlanParams
{
    public ulong Position, Sequence, Mode, Retrieval, Streaming, Counts;
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
/// <param name="Dense">1: streaming heads see everything.</param>
internal readonly record struct PrefillBlock(int FirstRow, int Count, int Position, int Sequence, int List, int Dense, int Unused0, int Unused1);

[StructLayout(LayoutKind.Sequential)]
internal struct AttentionPrefillParams
{
    public KvLayer Kv;
    public ulong Queries, Output, OutputF32, Blocks, List, ListCount, QueryStride, OutputStride;
    public int BlockCount, ListWidth, Transposed, Unused;
}

[StructLayout(LayoutKind.Sequential)]
internal struct SelectPromptParams
{
    public KvLayer Kv;
    public ulong Queries, Blocks, Prepared, Factors, Scores, Weights, Totals, List, ListCount, QueryStride;
    public int Pages, ListWidth, SinkPages, RecentPages, Policy;
    public float Deviation;
    public int Pass, Unused;
}

[StructLayout(LayoutKind.Sequential)]
internal struct SelectParams
{
    public KvLayer Kv;
    public ulong Queries, Open, Renewing, Scores, Candidates, CandidateCount, List, ListCount, Arrived, QueryStride;
    public int ScoreStride, CandidateWidth, ListWidth, SinkPages, RecentPages, Policy;
    public float Deviation;
    public int Settled;
}
