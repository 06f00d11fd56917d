// Blocks of a cluster: how many there are, barriers over all of them, and each other's shared memory.
#pragma once

#include <lserve/types.cuh>

namespace lserve {

/// 1 where the launch asked for no clusters.
__device__ __forceinline__ int cluster_blocks()
{
    int blocks;
    asm("mov.u32 %0, %%cluster_nctarank;" : "=r"(blocks));
    return blocks;
}

/// What this thread wrote before, also into other blocks, is visible to those of the cluster who then wait.
__device__ __forceinline__ void cluster_arrive() { asm volatile("barrier.cluster.arrive.release.aligned;" ::: "memory"); }

__device__ __forceinline__ void cluster_wait() { asm volatile("barrier.cluster.wait.acquire.aligned;" ::: "memory"); }

/// Where block `rank` has what this block has at p in its shared memory. For use while that block runs: after a barrier, and before one it waits at.
template <typename T> __device__ __forceinline__ T* in_block(T* p, u32 rank)
{
    T* mapped;
    asm("mapa.u64 %0, %1, %2;" : "=l"(mapped) : "l"(p), "r"(rank));
    return mapped;
}

}  // namespace lserve
