// Which pages and tokens a row sees; src/Cuda/Launch/AttentionPlan.cs says the same in C#.
#pragma once

#include <lserve/attention/kv_page.cuh>
#include <lserve/attention/params.h>

namespace lserve {

/// A local window beyond any position.
constexpr int everything = 0x7fffffff;

/// The page list of a streaming head: sink pages, then the pages of the local window.
struct Window {
    int local_start;   // first position of the local window
    int sink_entries;  // pages before `first_local`
    int first_local;   // first page of the rest
    int entries;

    __device__ __forceinline__ Window(int position, int sink, int local)
    {
        const int pages = position / page_tokens + 1;
        local_start = max(0, position - local + 1);
        sink_entries = min(ceil_div(sink, page_tokens), pages);
        first_local = max(sink_entries, local_start / page_tokens);
        entries = sink_entries + max(0, pages - first_local);
    }

    __device__ __forceinline__ int page(int entry) const { return entry < sink_entries ? entry : first_local + entry - sink_entries; }
};

/// Index into a line of the streaming table.
__device__ __forceinline__ int ring_slot(int page, int sink, int width)
{
    const int sink_pages = ceil_div(sink, page_tokens);
    return page < sink_pages ? page : sink_pages + (page - sink_pages) % (width - sink_pages);
}

/// The lowest n bits, n clamped to 0 … 32.
__device__ __forceinline__ u32 low_bits(int n) { return n <= 0 ? 0u : n >= 32 ? ~0u : (1u << n) - 1; }

/// Bit j: the row at `position` sees position first + j; sink and local_start bound what is hidden between.
__device__ __forceinline__ u32 visible_tokens(int first, int position, int sink, int local_start)
{
    return low_bits(position + 1 - first) & (low_bits(sink - first) | ~low_bits(local_start - first));
}

/// Parts of a row's list of `entries` pages, of split_pages(entries) each: by the row's own length alone, so that a batch can't change a sum's order.
/// Short lists are cut finely, for a lone row must fill the device; long ones coarsely, for parts cost a combination.
constexpr int short_split = 4, long_split = 16, most_splits = 64;
__device__ __forceinline__ int split_pages(int entries)
{
    if (entries <= short_split * most_splits) return short_split;
    return max(long_split, ceil_div(entries, short_split * most_splits) * short_split);
}

}  // namespace lserve
