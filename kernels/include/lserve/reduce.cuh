// Reductions of a fixed order: the same bits for the same data, whatever else the launch does.
#pragma once

#include <lserve/types.cuh>

namespace lserve {

__device__ __forceinline__ int lane_id() { return threadIdx.x & (warp_size - 1); }
__device__ __forceinline__ int warp_id() { return threadIdx.x / warp_size; }

/// Butterfly over the warp; every lane gets the sum.
__device__ __forceinline__ float warp_sum(float x)
{
#pragma unroll
    for (int offset = warp_size / 2; offset > 0; offset /= 2) x += __shfl_xor_sync(0xffffffff, x, offset);
    return x;
}

__device__ __forceinline__ float warp_max(float x)
{
#pragma unroll
    for (int offset = warp_size / 2; offset > 0; offset /= 2) x = fmaxf(x, __shfl_xor_sync(0xffffffff, x, offset));
    return x;
}

/// Sum over a block of Threads; every thread gets it. `scratch`: one float per warp of the block. Ends with the scratch in use until the next barrier.
template <int Threads> __device__ __forceinline__ float block_sum(float x, float* scratch)
{
    constexpr int warps = Threads / warp_size;
    x = warp_sum(x);
    if (lane_id() == 0) scratch[warp_id()] = x;
    __syncthreads();
    float sum = 0;
#pragma unroll
    for (int w = 0; w < warps; w++) sum += scratch[w];
    return sum;
}

template <int Threads> __device__ __forceinline__ float block_max(float x, float* scratch)
{
    constexpr int warps = Threads / warp_size;
    x = warp_max(x);
    if (lane_id() == 0) scratch[warp_id()] = x;
    __syncthreads();
    float best = scratch[0];
#pragma unroll
    for (int w = 1; w < warps; w++) best = fmaxf(best, scratch[w]);
    return best;
}

}  // namespace lserve
