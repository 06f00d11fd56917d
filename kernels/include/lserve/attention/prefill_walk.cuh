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
        : list(nullptr), chosen(0), first(0), sink(p.kv.sink), local(block.dense ? everything : p.kv.local), width(p.kv.streaming_width), streaming(place >= p.kv.retrieval_heads)
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

    __device__ __forceinline__ bool sees(int position, int token) const { return token <= position && (!streaming || token < sink || token > position - local); }
};

/// Entries of a walk as rows at positions low … high, low ≤ high, see them.
struct PrefillView {
    int hidden_from, hidden_to, end;     // entries that no row sees: hidden_from … hidden_to − 1, and from `end` on
    int whole_to, whole_from, whole_end; // entries that every row sees whole: before whole_to, and whole_from … whole_end − 1

    __device__ __forceinline__ PrefillView(const PrefillWalk& walk, int low, int high)
    {
        const auto entry = [&](int page) { return min(max(walk.chosen + page - walk.first, walk.chosen), walk.entries); };
        hidden_from = walk.chosen;
        hidden_to = walk.streaming ? entry(max(0, low - walk.local + 1) / page_tokens) : walk.chosen;
        whole_to = walk.streaming ? min(walk.chosen, min(low + 1, walk.sink) / page_tokens) : walk.chosen;
        whole_from = walk.streaming && high >= walk.local ? entry((high - walk.local) / page_tokens + 1) : walk.chosen;
        end = low > high ? 0 : walk.streaming && high / page_tokens < walk.first ? min(walk.chosen, high / page_tokens + 1) : entry(high / page_tokens + 1);
        whole_end = entry((low + 1) / page_tokens);
    }

    __device__ __forceinline__ bool some(int entry) const { return entry < end && (entry < hidden_from || entry >= hidden_to); }
    __device__ __forceinline__ bool all(int entry) const { return entry < whole_to || (entry >= whole_from && entry < whole_end); }
};

}  // namespace lserve
