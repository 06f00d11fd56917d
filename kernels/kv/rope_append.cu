// Rotary position embedding of queries (in place) and keys, after the per-head norm where the model has one; keys and values into their pages.
//
// Shapes     qkv [R, (H + 2G) · D] float32; pages 16-bit (params.h, DensePages)
// Grid       R blocks of 256 threads: a warp is a head, then the next
// Shared     8·D B at most: cosines and sines of the row's position
// Bytes      4·(2H + 2G)·D + 4·G·D a row
// Exactness  the angle is position · frequency in float64, brought into ±π there; pages round to nearest even, clamped to ±65504
// Reference  Cpu/Reference RopeAppend; test tests/Kernels/Cuda/KvTests
#include <lserve/async.cuh>
#include <lserve/dense_pages.cuh>
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

/// Turns one head; `put(channel, value)` takes the result.
template <typename Put> __device__ __forceinline__ void turn_head(const RopeAppendParams& p, const float* x, const float* gain, const float2* turns, Put put)
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
        put(first * i, u * turns[i].x - v * turns[i].y);
        put(first * i + second, u * turns[i].y + v * turns[i].x);
    }
}

extern "C" __global__ void __launch_bounds__(threads) rope_append(const RopeAppendParams p)
{
    __shared__ float2 turns[max_pairs];
    wait_for_previous_kernel();
    let_next_kernel_start();
    const int row_index = blockIdx.x, position = p.kv.positions[row_index];
    if (static_cast<int>(threadIdx.x) < p.head_dim / 2) {
        const float2 t = turn(position, p.inverse_frequencies[threadIdx.x]);
        turns[threadIdx.x] = {t.x * p.magnitude, t.y * p.magnitude};
    }
    __syncthreads();
    const int line = p.kv.lines[row_index], heads = p.query_heads + 2 * p.kv.kv_heads;
    float* row = p.qkv + static_cast<u64>(row_index) * heads * p.head_dim;
    for (int head = warp_id(); head < heads; head += threads / warp_size) {
        float* x = row + head * p.head_dim;
        if (head < p.query_heads) {
            turn_head(p, x, p.query_norm, turns, [&](int channel, float value) { x[channel] = value; });
            continue;
        }
        const int kv_head = (head - p.query_heads) % p.kv.kv_heads;
        f16* key = key_at(p.kv, line, position, kv_head, p.head_dim);
        if (head < p.query_heads + p.kv.kv_heads) {
            turn_head(p, x, p.key_norm, turns, [&](int channel, float value) { key[channel] = to_f16_clamped(value); });
        } else {
            f16* value = key + page_tokens * p.head_dim;
            for (int i = lane_id(); i < p.head_dim; i += warp_size) value[i] = to_f16_clamped(x[i]);
        }
    }
}
