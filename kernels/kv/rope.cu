// Rotary position embedding of queries and keys, in place, after the per-head norm where the model has one.
//
// Shapes     qkv [R, (H + 2G) · D] float32
// Grid       R blocks of 256 threads: a warp is a head, then the next
// Shared     8·D B at most: cosines and sines of the row's position
// Bytes      8·(H + G)·D a row
// Exactness  the angle is position · frequency in float64, brought into ±π there
// Reference  Cpu/Reference RopeAppend; test tests/Kernels/Cuda/RopeTests
#include <lserve/async.cuh>
#include <lserve/params.h>
#include <lserve/reduce.cuh>

using namespace lserve;

constexpr int threads = 256, max_pairs = 128, pairs_per_lane = max_pairs / warp_size;

/// Cosine and sine of a turn of any size.
__device__ __forceinline__ float2 turn(int position, double frequency)
{
    constexpr double turn_size = 6.283185307179586476925, inverse = 0.15915494309189533577;
    const double angle = position * frequency;
    float2 result;
    sincosf(static_cast<float>(angle - rint(angle * inverse) * turn_size), &result.y, &result.x);
    return result;
}

/// Turns one head.
__device__ __forceinline__ void turn_head(const RopeParams& p, float* x, const float* gain, const float2* turns)
{
    const int pairs = p.head_dim / 2;
    const int first = p.halves ? 1 : 2, second = p.halves ? pairs : 1;  // pair i: channels first·i and first·i + second
    float a[pairs_per_lane], b[pairs_per_lane], squares = 0;
#pragma unroll
    for (int j = 0; j < pairs_per_lane; j++) {
        const int i = lane_id() + j * warp_size;
        a[j] = i < pairs ? x[first * i] : 0;
        b[j] = i < pairs ? x[first * i + second] : 0;
        squares += a[j] * a[j] + b[j] * b[j];
    }
    const float scale = gain ? 1.0f / sqrtf(warp_sum(squares) / p.head_dim + p.epsilon) : 1.0f;
#pragma unroll
    for (int j = 0; j < pairs_per_lane; j++) {
        const int i = lane_id() + j * warp_size;
        if (i >= pairs) continue;
        const float u = gain ? a[j] * scale * gain[first * i] : a[j], v = gain ? b[j] * scale * gain[first * i + second] : b[j];
        x[first * i] = u * turns[i].x - v * turns[i].y;
        x[first * i + second] = u * turns[i].y + v * turns[i].x;
    }
}

extern "C" __global__ void __launch_bounds__(threads) rope(const RopeParams p)
{
    __shared__ float2 turns[max_pairs];
    const int position = p.positions[blockIdx.x];
    if (static_cast<int>(threadIdx.x) < p.head_dim / 2) {
        const float2 t = turn(position, p.inverse_frequencies[threadIdx.x]);
        turns[threadIdx.x] = {t.x * p.magnitude, t.y * p.magnitude};
    }
    __syncthreads();
    wait_for_previous_kernel();
    let_next_kernel_start();
    float* row = p.qkv + static_cast<u64>(blockIdx.x) * (p.query_heads + 2 * p.kv_heads) * p.head_dim;
    for (int head = warp_id(); head < p.query_heads + p.kv_heads; head += threads / warp_size)
        turn_head(p, row + head * p.head_dim, head < p.query_heads ? p.query_norm : p.key_norm, turns);
}
