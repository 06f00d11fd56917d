// Arguments of the attention and selection kernels, passed by value, mirrored in src/Cuda/Launch/AttentionParams.cs.
// Names: R rows, S sequences of the step, H query heads, G KV heads, D channels.
#pragma once

#include <lserve/types.cuh>

namespace lserve {

/// What a decode row does.
constexpr int dense_row = 0, sparse_row = 1;  // sees everything; the pages it chose, and windows

/// Where the KV pages of one layer are. Heads come in order of kind: the retrieval ones take slots 0 … in the retrieval pool, the others in the streaming pool.
struct KvLayer {
    u8* retrieval;               // page p of slot s: retrieval + p · retrieval_stride + s · bytes of a page
    u8* streaming;
    u64 retrieval_stride;        // bytes
    u64 streaming_stride;
    const int* heads;            // [G] KV head at each place of this order
    const int* retrieval_table;  // [S, retrieval_width] physical page by position / 64
    const int* streaming_table;  // [S, streaming_width] sink pages, then the ring
    const int* position;         // [R] position of the row's token
    const int* sequence;         // [R] line of the tables and of the selection state
    const int* mode;             // [R] dense_row or sparse_row
    int retrieval_width;
    int streaming_width;
    int kv_heads;                // G
    int retrieval_heads;
    int sink;                    // tokens
    int local;                   // tokens, the row's own among them, at least 1
    int retrieval_bytes;         // of a retrieval head's page, with statistics or without
    int state_heads;             // retrieval heads in a line of the selection state: at least this layer's
};

/// Consecutive tokens of one sequence within one logical page. Of one sequence's runs in a launch, at most one begins or ends within its logical
/// page: the two ends of a prompt's chunk go into launches of their own when both do.
struct alignas(16) TokenRun {
    int first_row;
    int count;                   // 1 … 16
    int position;                // of the first
    int sequence;
};

/// attention/attention_append.cu
struct AttentionAppendParams {
    KvLayer kv;
    float* queries;              // [R, H, D], turned in place
    const float* keys;           // [R, G, D]
    const float* values;         // [R, G, D]
    const double* inverse_frequencies;  // [D / 2] radians per token; null: queries and keys are turned already
    const float* query_norm;     // [D] gain of the norm per head, or null
    const float* key_norm;       // [D] or null
    const float* centre;         // [G, D]
    float* open;                 // [S, state heads, 2, D] statistics of each sequence's open logical page
    const TokenRun* runs;        // one per block
    u64 row_stride;              // floats from a row of queries, keys and values to the next
    int statistics;              // 0 none, 1 maximum and minimum, 2 mean and deviation
    int group;                   // query heads of a KV head
    int halves;                  // 1: channels i and i + D / 2 turn together; 0: 2i and 2i + 1
    float epsilon;               // of the norms per head
    float magnitude;             // of cosine and sine
    int unused;
};

/// Part of a row's page list: the work of one block of attention/attention_decode.cu for each head of a kind.
struct alignas(16) DecodeItem {
    int row;
    int sequence;
    int position;
    int first;                   // entry of the row's page list
    int count;                   // entries
    int split;                   // number of this part
    int splits;                  // parts of the row
    int dense;                   // 1: streaming heads see everything, and no list counts
};

/// attention/attention_plan.cu
struct AttentionPlanParams {
    const int* position;         // [R]
    const int* sequence;         // [R]
    const int* mode;             // [R]
    DecodeItem* retrieval;       // [capacity]
    DecodeItem* streaming;       // [capacity]
    int* counts;                 // [2] items written
    int rows;
    int keep;                    // most pages a retrieval head reads; 0: all
    int sink;
    int local;
};

/// attention/attention_decode.cu
struct AttentionDecodeParams {
    KvLayer kv;
    const float* queries;        // [R, H, D] after RoPE
    f16* output;                 // [R, H, D], or null
    float* output_f32;           // [R, H, D], or null
    const DecodeItem* retrieval;
    const DecodeItem* streaming;
    const int* counts;           // [2]
    const int* list;             // [S, state heads, list_width] chosen pages, ascending, or null: all pages
    const int* list_count;       // [S, state heads]
    float* partial;              // [blocks, group, D + 2]
    int* arrived;                // [R, G] zero before and after
    u64 query_stride;            // floats from a row of queries to the next
    u64 output_stride;           // elements
    int list_width;
    int settled;                 // 1: the lists are older than the previous kernel, so that their pages may be read ahead of its end
};

/// Consecutive prompt rows of one sequence within 128 positions aligned to a multiple of 128.
struct alignas(16) PrefillBlock {
    int first_row;
    int count;                   // 1 … 128
    int position;                // of the first row
    int sequence;                // line of the tables
    int list;                    // line of the page lists: pages before position / 64 that retrieval heads read; -1: all
    int dense;                   // 1: streaming heads see everything
    int unused[2];
};

/// attention/attention_prefill.cu
struct AttentionPrefillParams {
    KvLayer kv;                  // position and sequence unread
    const float* queries;        // [R, H, D] after RoPE
    f16* output;                 // [R, H, D], or null
    float* output_f32;           // [R, H, D], or null
    const PrefillBlock* blocks;  // [block_count], the longest contexts first
    const int* list;             // [lists, retrieval heads, list_width] ascending pages, all of them before their block's first row
    const int* list_count;       // [lists, retrieval heads]
    u64 query_stride;            // floats from a row of queries to the next
    u64 output_stride;           // elements
    int block_count;
    int list_width;
    int transposed;              // 1: output is written as lserve/operand_order.cuh says; H · D is then a multiple of 32
    int unused;
};

/// select/select_score.cu, select/select_refine.cu
struct SelectParams {
    KvLayer kv;
    const float* queries;        // [R, H, D] after RoPE
    const float* open;           // [S, state heads, 2, D]
    const int* renewing;         // score: rows that choose anew, one for each block in z, or −1
    float* scores;               // score: [R, retrieval heads, score_stride]; refine: [R, retrieval heads, candidate_width + recent_pages, group, 2]
    int* candidates;             // [S, state heads, candidate_width], two-stage only
    int* candidate_count;        // [S, state heads]
    int* list;                   // [S, state heads, list_width]
    int* list_count;             // [S, state heads]
    int* arrived;                // [R, retrieval heads] zero before and after
    u64 query_stride;
    int score_stride;            // group · (pages of the longest row, rounded up to 32) · (1 + 1 / 16)
    int candidate_width;         // candidates kept
    int list_width;              // pages kept: budget / 64
    int sink_pages;
    int recent_pages;
    int policy;                  // 1 quest, 2 moments, 3 two-stage
    float deviation;             // lambda of moments
    int settled;                 // refine: 1: the candidates are older than the previous kernel
};

/// select/select_prompt.cu
struct SelectPromptParams {
    KvLayer kv;                  // position, sequence and mode unread
    const float* queries;        // [R, H, D] after RoPE
    const PrefillBlock* blocks;  // those that choose; their lists are numbered from 0
    f16* prepared;               // [lists, retrieval heads, 128 · group, 2, channels] queries as operands
    float* factors;              // [lists, retrieval heads, 128 · group]
    float* scores;               // [lists, retrieval heads, pages]
    float* weights;              // two-stage: [lists, retrieval heads, pages / 32, 128 · group, 2]
    float* totals;               // two-stage: [lists, retrieval heads, 128 · group, 2]
    int* list;                   // [lists, retrieval heads, list_width]
    int* list_count;             // [lists, retrieval heads]
    u64 query_stride;            // floats from a row of queries to the next
    int pages;                   // room for the most pages before a block, a multiple of 32
    int list_width;              // pages kept
    int sink_pages;
    int recent_pages;
    int policy;                  // as SelectParams
    float deviation;
    int pass;                    // of select_prompt_score: 0 best scores, 1 parts of the softmax, 2 shares
    int unused;
};

}  // namespace lserve
