// What the measurements stand on: random weights made on the device, and the floor that a read of the same bytes sets.
#include <lserve/async.cuh>
#include <lserve/types.cuh>

using namespace lserve;

struct FillParams {
    u8* to;
    u64 bytes;      // multiple of 4
    u32 seed;
    u32 unit;       // bytes of a packed unit, or 0: everything is binary16
    u32 codes;      // bytes of codes in it; behind them come binary16 scales
    u32 unused;
};

struct ReadParams {
    const vec4* from;
    u64 count;      // of 16 bytes
    u32* sink;
};

__device__ __forceinline__ u32 mix(u32 x)
{
    x = (x ^ (x >> 16)) * 0x7feb352d;
    x = (x ^ (x >> 15)) * 0x846ca68b;
    return x ^ (x >> 16);
}

extern "C" __global__ void fill(const FillParams p)
{
    for (u64 i = blockIdx.x * 256ull + threadIdx.x; i < p.bytes / 4; i += gridDim.x * 256ull) {
        const u32 x = mix(static_cast<u32>(i) ^ mix(p.seed + static_cast<u32>(i >> 32)));
        const bool half = p.unit == 0 || i * 4 % p.unit >= p.codes;
        reinterpret_cast<u32*>(p.to)[i] = half ? (x & 0x83ff83ff) | 0x28002000 : x;  // ±(2^-7 … 2^-5), or any code
    }
}

extern "C" __global__ void __launch_bounds__(512) read_all(const ReadParams p)
{
    constexpr int unroll = 8;
    wait_for_previous_kernel();
    let_next_kernel_start();
    u32 sum = 0;
    const u64 stride = static_cast<u64>(gridDim.x) * 512;
    u64 i = blockIdx.x * 512ull + threadIdx.x;
    for (; i + (unroll - 1) * stride < p.count; i += unroll * stride) {
        vec4 v[unroll];
#pragma unroll
        for (int u = 0; u < unroll; u++) v[u] = p.from[i + u * stride];
#pragma unroll
        for (int u = 0; u < unroll; u++) sum ^= v[u].x ^ v[u].y ^ v[u].z ^ v[u].w;
    }
    for (; i < p.count; i += stride) sum ^= p.from[i].x ^ p.from[i].y ^ p.from[i].z ^ p.from[i].w;
    if (sum == 0x12345678) *p.sink = sum;
}
