// Which pages a block of prompt rows reads, in order: chosen ones (the sink, or a list), then all from `first` to the last row's.
#pragma once

#include <lserve/attention/visible.cuh>

namespace lserve {

constexpr int prefill_rows = 128;

struct PrefillWalk {
    const int* table;   // the sequence's line
    const int* list;    // the chosen pages; null: 0, 1, …
    int chosen, first, entries, last;  // last: position of the last row
    int sink, local, width;
    bool streaming;

    __device__ __forceinline__ PrefillWalk(const AttentionPrefillParams& p, const PrefillBlock& block, int place)
        : list(nullptr), chosen(0), first(0), sink(p.kv.sink), local(p.kv.local), width(p.kv.streaming_width), streaming(place >= p.kv.retrieval_heads)
    {
        last = block.position + block.count - 1;
        const int pages = last / page_tokens + 1;
        if (streaming) {
            table = p.kv.streaming_table + u64(block.sequence) * p.kv.streaming_width;
            chosen = min(ceil_div(sink, page_tokens), pages);
            first = max(chosen, max(0, block.position - local + 1) / page_tokens);
        } else {
            table = p.kv.retrieval_table + u64(block.sequence) * p.kv.retrieval_width;
            if (block.list >= 0) {
                const int line = block.list * p.kv.retrieval_heads + place;
                list = p.list + u64(line) * p.list_width;
                chosen = p.list_count[line];
                first = block.position / page_tokens;
            }
        }
        entries = chosen + max(0, pages - first);
    }

    __device__ __forceinline__ int page(int entry) const { return entry >= chosen ? first + entry - chosen : list ? list[entry] : entry; }

    __device__ __forceinline__ int physical(int entry) const
    {
        const int at = page(entry);
        return table[streaming ? ring_slot(at, sink, width) : at];
    }

    /// First position of an entry's page, for comparisons with rows; 0 for pages of a list, which every row sees whole.
    __device__ __forceinline__ int start(int entry) const { return list && entry < chosen ? 0 : page(entry) * page_tokens; }

    /// Whether any, and whether every, of the rows at positions low … high sees any, or every, token of an entry's page.
    __device__ __forceinline__ bool some(int entry, int low, int high) const
    {
        const int from = start(entry), to = from + page_tokens - 1;
        if (low > high) return false;
        return (list && entry < chosen) || (from <= high && (!streaming || from < sink || to > low - local));
    }

    __device__ __forceinline__ bool all(int entry, int low, int high) const
    {
        const int from = start(entry), to = from + page_tokens - 1;
        return (list && entry < chosen) || (to <= low && (!streaming || to < sink || from > high - local));
    }

    __device__ __forceinline__ bool sees(int position, int token) const { return token <= position && (!streaming || token < sink || token > position - local); }
};

}  // namespace lserve
