// The `keep` best of n pages, ascending, ties to the lower index. Scores are order-preserving integers in shared memory.
#pragma once

#include <lserve/types.cuh>

namespace lserve {

constexpr u32 forced_page = 0xffffffff, excluded_page = 0;

/// Order-preserving; NaN and −∞ are excluded.
__device__ __forceinline__ u32 page_key(float score)
{
    if (!(score > __builtin_bit_cast(float, 0xff800000u))) return excluded_page;
    const u32 bits = __float_as_uint(score);
    return bits >> 31 ? ~bits : bits | 0x80000000;
}

/// Exclusive prefix sum over the block's threads, and the sum.
template <int Threads> __device__ __forceinline__ int block_prefix(int x, int& total, int* scratch)
{
    int inclusive = x;
    for (int step = 1; step < 32; step *= 2) {
        const int other = __shfl_up_sync(0xffffffff, inclusive, step);
        if (int(threadIdx.x % 32) >= step) inclusive += other;
    }
    __syncthreads();
    if (threadIdx.x % 32 == 31) scratch[threadIdx.x / 32] = inclusive;
    __syncthreads();
    total = 0;
#pragma unroll
    for (int w = 0; w < Threads / 32; w++) {
        if (w < int(threadIdx.x / 32)) inclusive += scratch[w];
        total += scratch[w];
    }
    return inclusive - x;
}

constexpr int bins = 256;

/// Least and greatest of what the block's threads bring; every thread gets both. `scratch`: two ints per warp.
template <int Threads> __device__ __forceinline__ void block_range(u32& least, u32& most, int* scratch)
{
    least = __reduce_min_sync(0xffffffff, least);
    most = __reduce_max_sync(0xffffffff, most);
    __syncthreads();
    if (threadIdx.x % 32 == 0) {
        scratch[threadIdx.x / 32] = least;
        scratch[Threads / 32 + threadIdx.x / 32] = most;
    }
    __syncthreads();
#pragma unroll
    for (int w = 0; w < Threads / 32; w++) {
        least = min(least, u32(scratch[w]));
        most = max(most, u32(scratch[Threads / 32 + w]));
    }
}

/// Whole block. The least key to be chosen is found by histograms of ever finer equal steps between the least and the greatest key, so that few
/// threads meet in a bin. Calls write(place, index) in ascending order of both; returns how many were chosen, in every thread.
/// `histogram`: `bins` ints; `scratch`: two ints and two per warp; forced pages: at most `keep`.
template <int Threads, typename Write>
__device__ __forceinline__ int choose_pages(const u32* keys, int n, int keep, int* histogram, int* scratch, Write write)
{
    static_assert(Threads >= bins, "a thread for every bin");
    u32 base = ~0u, most = 0;
    int forced = 0, total;
    for (int i = threadIdx.x; i < n; i += Threads) {
        const u32 key = keys[i];
        forced += key == forced_page;
        if (key != forced_page && key != excluded_page) base = min(base, key);
        if (key != forced_page) most = max(most, key);
    }
    block_range<Threads>(base, most, scratch);
    block_prefix<Threads>(forced, total, scratch);
    int wanted = keep - total, shift = max(0, 24 - __clz(most - base));  // among keys from `base` on, those of its step
    bool all = base > most;
    for (u32 step = ~0u; !all && wanted > 0; step = 1u << shift, shift = max(0, shift - 8)) {
        __syncthreads();
        if (threadIdx.x < bins) histogram[threadIdx.x] = 0;
        __syncthreads();
        for (int i = threadIdx.x; i < n; i += Threads)
            if (keys[i] != forced_page && keys[i] != excluded_page && keys[i] >= base && keys[i] - base < step) atomicAdd(&histogram[keys[i] - base >> shift], 1);
        __syncthreads();
        const int bin = bins - 1 - int(threadIdx.x), mine = bin >= 0 ? histogram[bin] : 0;
        const int above = block_prefix<Threads>(mine, total, scratch + 2);
        if (bin >= 0 && above < wanted && above + mine >= wanted) {
            scratch[0] = bin;
            scratch[1] = above;
        }
        __syncthreads();
        if (total < wanted) break;  // fewer than may be kept: all from `base` on
        const int found = scratch[0], at = histogram[found];
        wanted -= scratch[1];
        base += u32(found) << shift;
        all = at == wanted || shift == 0;
    }
    const int each = (n + Threads - 1) / Threads | 1;  // odd: neighbours meet different banks
    const int first = min(n, int(threadIdx.x) * each), last = min(n, first + each);
    const u32 threshold = wanted > 0 ? base : forced_page;
    int above = 0, equal = 0, all_above, all_equal;
    for (int i = first; i < last; i++) {
        above += keys[i] > threshold || keys[i] == forced_page;
        equal += keys[i] == threshold && keys[i] != forced_page;
    }
    int above_before = block_prefix<Threads>(above, all_above, scratch + 2), equal_before = block_prefix<Threads>(equal, all_equal, scratch + 2);
    const int room = max(0, keep - all_above);
    for (int i = first; i < last; i++) {
        const bool is_above = keys[i] > threshold || keys[i] == forced_page, is_equal = !is_above && keys[i] == threshold;
        if (is_above || (is_equal && equal_before < room)) write(above_before + min(equal_before, room), i);
        above_before += is_above;
        equal_before += is_equal;
    }
    return all_above + min(room, all_equal);
}

}  // namespace lserve
