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

/// One warp, n ≤ 32 · Rows: the threshold bit pair by bit pair, keys in registers. Calls write(place, index); returns how many were chosen.
template <int Rows, typename Write> __device__ __forceinline__ int choose_by_warp(const u32* keys, int n, int keep, Write write)
{
    const int lane = threadIdx.x % 32;
    u32 key[Rows], threshold = 0;
#pragma unroll
    for (int r = 0; r < Rows; r++) key[r] = r * 32 + lane < n ? keys[r * 32 + lane] : excluded_page;
    int at_least = n;
    for (int bit = 30; bit >= 0 && at_least != keep; bit -= 2) {
        int low = 0, third = 0;  // how many are at least threshold + 1 and + 2 (in the high half), and + 3, at this bit pair
#pragma unroll
        for (int r = 0; r < Rows; r++) {
            low += (key[r] >= (threshold | 1u << bit)) + ((key[r] >= (threshold | 2u << bit)) << 16);
            third += key[r] >= (threshold | 3u << bit);
        }
        low = __reduce_add_sync(0xffffffff, low);
        third = __reduce_add_sync(0xffffffff, third);
        const int counts[4] = {at_least, low & 0xffff, low >> 16, third};
        const u32 digit = third >= keep ? 3 : counts[2] >= keep ? 2 : counts[1] >= keep ? 1 : 0;
        at_least = digit == 3 ? third : digit == 2 ? counts[2] : digit == 1 ? counts[1] : at_least;
        threshold |= digit << bit;
    }
    threshold = max(threshold, excluded_page + 1);
    int above = 0;
#pragma unroll
    for (int r = 0; r < Rows; r++) above += key[r] > threshold;
    int room = keep - __reduce_add_sync(0xffffffff, above), place = 0;
    if (at_least == keep) room = n;  // nothing to leave out at the threshold
#pragma unroll
    for (int r = 0; r < Rows; r++) {
        const u32 equal = __ballot_sync(0xffffffff, key[r] == threshold), before = (1u << lane) - 1;
        const bool chosen = key[r] > threshold || (key[r] == threshold && __popc(equal & before) < room);
        const u32 all = __ballot_sync(0xffffffff, chosen);
        if (chosen) write(place + __popc(all & before), r * 32 + lane);
        place += __popc(all);
        room -= __popc(equal);
    }
    return place;
}

constexpr int digit_bits = 11, digits = 1 << digit_bits;

/// Whole block: the threshold digit by digit from histograms. Calls write(place, index); returns how many were chosen, in every thread.
/// `histogram`: `digits` ints; `scratch`: two ints and one per warp.
template <int Threads, typename Write>
__device__ __forceinline__ int choose_by_block(const u32* keys, int n, int keep, int* histogram, int* scratch, Write write)
{
    constexpr int bins = digits / Threads;
    u32 threshold = 0;
    int wanted = keep;  // among keys that agree with the threshold so far
    for (int shift = 32 - digit_bits; ; shift = max(0, shift - digit_bits)) {
        const u32 known = shift == 32 - digit_bits ? 0 : ~0u << (shift ? shift + digit_bits : digit_bits - 1);
        const u32 field = shift || known == 0 ? digits - 1 : digits / 2 - 1;  // 32 = 11 + 11 + 10
        __syncthreads();
        for (int i = threadIdx.x; i < digits; i += Threads) histogram[i] = 0;
        __syncthreads();
        for (int i = threadIdx.x; i < n; i += Threads)
            if ((keys[i] & known) == threshold) atomicAdd(&histogram[keys[i] >> shift & field], 1);
        __syncthreads();
        int mine = 0, total;
        const int top = digits - 1 - int(threadIdx.x) * bins;  // this thread's bins, downwards
        for (int i = 0; i < bins; i++) mine += histogram[top - i];
        int above = block_prefix<Threads>(mine, total, scratch + 2);
        if (above < wanted && (above + mine >= wanted || (int(threadIdx.x) == Threads - 1))) {
            int bin = top;
            while (bin > top - bins + 1 && above + histogram[bin] < wanted) above += histogram[bin--];
            scratch[0] = bin;
            scratch[1] = above;
        }
        __syncthreads();
        threshold |= u32(scratch[0]) << shift;
        wanted -= scratch[1];
        if (shift == 0) break;
    }
    threshold = max(threshold, excluded_page + 1);
    const int each = (n + Threads - 1) / Threads | 1;  // odd: neighbours meet different banks
    const int first = min(n, int(threadIdx.x) * each), last = min(n, first + each);
    int above = 0, equal = 0, all_above, all_equal;
    for (int i = first; i < last; i++) {
        above += keys[i] > threshold;
        equal += keys[i] == threshold;
    }
    int above_before = block_prefix<Threads>(above, all_above, scratch + 2), equal_before = block_prefix<Threads>(equal, all_equal, scratch + 2);
    const int room = keep - all_above;
    for (int i = first; i < last; i++) {
        const bool is_above = keys[i] > threshold, is_equal = keys[i] == threshold;
        if (is_above || (is_equal && equal_before < room)) write(above_before + min(equal_before, room), i);
        above_before += is_above;
        equal_before += is_equal;
    }
    return all_above + min(room, all_equal);
}

}  // namespace lserve
