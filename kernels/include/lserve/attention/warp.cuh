// What the attention kernels do with a warp: Hadamard rotation, transposition of fragments, streaming loads.
// A vector of D channels lies in a warp with channel lane + 32·i in element i of each lane; what is beyond D is zero.
#pragma once

#include <lserve/mma.cuh>

namespace lserve {

/// Side of the Hadamard blocks: the largest power of two that divides D.
constexpr int hadamard_block(int d) { return d & -d; }

/// Multiplies by the orthonormal Hadamard matrix, block-diagonal for D that are no powers of two; its own inverse.
template <int D, typename T> __device__ __forceinline__ void rotate(T (&x)[(D + 31) / 32], int lane)
{
    constexpr int elements = (D + 31) / 32, block = hadamard_block(D);
#pragma unroll
    for (int step = 1; step < block && step < 32; step *= 2)
#pragma unroll
        for (int i = 0; i < elements; i++) {
            const T other = __shfl_xor_sync(0xffffffff, x[i], step);
            x[i] = lane & step ? other - x[i] : x[i] + other;
        }
#pragma unroll
    for (int step = 32; step < block; step *= 2)
#pragma unroll
        for (int i = 0; i < elements; i++)
            if (!(i * 32 & step)) {
                const T a = x[i], b = x[i + step / 32];
                x[i] = a + b;
                x[i + step / 32] = a - b;
            }
    const T scale = T(1) / sqrt(T(block));
#pragma unroll
    for (int i = 0; i < elements; i++) x[i] *= scale;
}

/// Transposes an 8×8 matrix of 16-bit elements; lane l holds columns 2·(l % 4), +1 of row l / 4.
__device__ __forceinline__ u32 transpose_8x8(u32 x)
{
    u32 y;
    asm volatile("movmatrix.sync.aligned.m8n8.trans.b16 %0, %1;" : "=r"(y) : "r"(x));
    return y;
}

/// D[16, 8] += A[16, 8] · B[8, 8] in tf32: a0 = (row g, k q)  a1 = (row g + 8, k q)  a2 = (row g, k q + 4)  a3 = (row g + 8, k q + 4); b0 = (k q, column g)  b1 = (k q + 4, column g).
__device__ __forceinline__ void mma_tf32(float (&d)[4], const u32 (&a)[4], u32 b0, u32 b1)
{
    asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

/// 16 bytes that are read once. Not volatile: depends on its address alone, which must come from memory read after the previous kernel is waited for.
__device__ __forceinline__ vec4 load_streaming(const void* p)
{
    vec4 v;
    asm("ld.global.nc.L1::no_allocate.v4.u32 {%0,%1,%2,%3}, [%4];" : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w) : "l"(p));
    return v;
}

/// Likewise; brings 256 bytes into L2, for those who read as much in a row.
__device__ __forceinline__ vec4 load_streaming_pair(const void* p)
{
    vec4 v;
    asm("ld.global.nc.L1::no_allocate.L2::256B.v4.u32 {%0,%1,%2,%3}, [%4];" : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w) : "l"(p));
    return v;
}

/// A float that another block of this launch wrote. Volatile, so that it stays behind `arrive_last`.
__device__ __forceinline__ float load_shared_result(const float* p)
{
    float v;
    asm volatile("ld.global.cg.f32 %0, [%1];" : "=f"(v) : "l"(p));
    return v;
}

/// Two of them, side by side.
__device__ __forceinline__ float2 load_shared_pair(const float* p)
{
    float2 v;
    asm volatile("ld.global.cg.v2.f32 {%0, %1}, [%2];" : "=f"(v.x), "=f"(v.y) : "l"(p));
    return v;
}

__device__ __forceinline__ float exp2_fast(float x) { float y; asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x)); return y; }

/// Bytes of a and b picked by the nibbles of `selector`.
__device__ __forceinline__ u32 pick_bytes(u32 a, u32 b, u32 selector) { return __byte_perm(a, b, selector); }

constexpr float negative_infinity = __builtin_bit_cast(float, 0xff800000u);

/// Whether this block is the last of `blocks` to arrive at `counter`, which is zero again afterwards. What the others wrote before is visible to it.
__device__ __forceinline__ bool arrive_last(int* counter, int blocks)
{
    __shared__ int last;
    __syncthreads();
    if (threadIdx.x == 0) {
        __threadfence();
        last = atomicAdd(counter, 1) == blocks - 1;
        if (last) *counter = 0;
        __threadfence();
    }
    __syncthreads();
    return last;
}

}  // namespace lserve
