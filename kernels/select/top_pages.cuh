// The `keep` best of n pages, ascending, ties to the lower index: the threshold bit pair by bit pair over order-preserving integers in shared memory.
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

/// Sum of a block's counts; every thread gets it. `scratch`: one int per warp.
template <int Threads> __device__ __forceinline__ int block_count(int x, int* scratch)
{
    x = __reduce_add_sync(0xffffffff, x);
    __syncthreads();
    if (threadIdx.x % 32 == 0) scratch[threadIdx.x / 32] = x;
    __syncthreads();
    int sum = 0;
#pragma unroll
    for (int w = 0; w < Threads / 32; w++) sum += scratch[w];
    return sum;
}

/// Exclusive prefix sum over the block's threads.
template <int Threads> __device__ __forceinline__ int block_prefix(int x, int* scratch)
{
    int inclusive = x;
    for (int step = 1; step < 32; step *= 2) {
        const int other = __shfl_up_sync(0xffffffff, inclusive, step);
        if (int(threadIdx.x % 32) >= step) inclusive += other;
    }
    __syncthreads();
    if (threadIdx.x % 32 == 31) scratch[threadIdx.x / 32] = inclusive;
    __syncthreads();
    for (int w = 0; w < int(threadIdx.x / 32); w++) inclusive += scratch[w];
    return inclusive - x;
}

/// Whole block. Calls write(place, index) for the chosen indices in ascending order of both; returns how many there are, in every thread.
template <int Threads, typename Write> __device__ __forceinline__ int choose_pages(const u32* keys, int n, int keep, int* scratch, Write write)
{
    const int each = (n + Threads - 1) / Threads, first = min(n, int(threadIdx.x) * each), last = min(n, first + each);
    u32 threshold = 0;  // the largest with at least `keep` keys at or above it, or 0
    for (int bit = 30; bit >= 0; bit -= 2) {
        int counts[2] = {0, 0};  // at least threshold + 1, 2, 3 at this bit pair; two counts share an int
        for (int i = first; i < last; i++) {
            const u32 key = keys[i];
            counts[0] += (key >= (threshold | 1u << bit)) + ((key >= (threshold | 2u << bit)) << 16);
            counts[1] += key >= (threshold | 3u << bit);
        }
        const u32 low = block_count<Threads>(counts[0], scratch);
        const int third = block_count<Threads>(counts[1], scratch);
        threshold |= (third >= keep ? 3u : int(low >> 16) >= keep ? 2u : int(low & 0xffff) >= keep ? 1u : 0u) << bit;
    }
    threshold = max(threshold, excluded_page + 1);
    int above = 0, equal = 0;
    for (int i = first; i < last; i++) {
        above += keys[i] > threshold;
        equal += keys[i] == threshold;
    }
    const int all_above = block_count<Threads>(above, scratch);
    int above_before = block_prefix<Threads>(above, scratch), equal_before = block_prefix<Threads>(equal, scratch);
    const int room = keep - all_above;
    for (int i = first; i < last; i++) {
        const bool is_above = keys[i] > threshold, is_equal = keys[i] == threshold;
        if (is_above || (is_equal && equal_before < room)) write(above_before + min(equal_before, room), i);
        above_before += is_above;
        equal_before += is_equal;
    }
    return all_above + min(room, block_count<Threads>(equal, scratch));
}

}  // namespace lserve
