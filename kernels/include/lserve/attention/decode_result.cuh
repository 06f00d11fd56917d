// From the warps' results to the output: the second half of attention/attention_decode.cu, which defines the types and constants used here.
#pragma once

#include <lserve/attention/params.h>
#include <lserve/attention/warp.cuh>

/// The block's sum of its warps' results: `output` unnormalised, relative to `most`; threads own (head, channel) pairs.
template <typename Write> __device__ __forceinline__ void merge_warps(const Shared& shared, Write write)
{
    for (int i = threadIdx.x; i < GROUP * channels; i += threads) {
        const int head = i / channels, channel = i % channels;
        float most = shared.most[0][head], value = 0, sum = 0;
        for (int w = 1; w < warps; w++) most = fmaxf(most, shared.most[w][head]);
        for (int w = 0; w < warps; w++) {
            if (shared.most[w][head] == negative_infinity) continue;
            const float factor = exp2_fast(shared.most[w][head] - most);
            value += factor * (shared.output[w][head][channel] + shared.bias[w][head]);
            sum += factor * shared.sum[w][head];
        }
        write(head, channel, value, sum, most);
    }
}

/// Divides, rotates back, writes; `merged` [GROUP][channels] holds weighted sums, `sum` their weights.
__device__ __forceinline__ void finish(const AttentionDecodeParams& p, const float (*merged)[channels], const float* sum, int row, int kv_head)
{
    const int lane = threadIdx.x % 32;
    for (int head = threadIdx.x / 32; head < GROUP; head += warps) {
        float x[Query::elements];
        const float scale = sum[head] > 0 ? 1 / sum[head] : 0;
#pragma unroll
        for (int i = 0; i < Query::elements; i++) x[i] = lane + 32 * i < HEAD_DIM ? merged[head][lane + 32 * i] * scale : 0;
        if constexpr (Values::quantised) rotate<HEAD_DIM>(x, lane);
        const u64 at = u64(row) * p.output_stride + (kv_head * GROUP + head) * HEAD_DIM + lane;
#pragma unroll
        for (int i = 0; i < Query::elements; i++) {
            if (lane + 32 * i >= HEAD_DIM) continue;
            if (p.output) p.output[at + 32 * i] = to_f16_clamped(x[i]);
            if (p.output_f32) p.output_f32[at + 32 * i] = x[i];
        }
    }
}

/// Floats of a part: sums [GROUP][D], then (most, sum) of each head.
constexpr int part_values = GROUP * HEAD_DIM, part_floats = part_values + 2 * GROUP;

/// Adds the parts of a row and head in order; part s at first + s · step blocks.
__device__ __forceinline__ void combine(const AttentionDecodeParams& p, Shared& shared, u64 first, int step, int splits, int row, int kv_head)
{
    constexpr int pairs = part_values / 2, mine = (pairs + threads - 1) / threads, ahead = mine > 4 ? 4 : 8;
    const int lane = threadIdx.x % 32;
    const float* parts = p.partial + first * part_floats;
    const u64 stride = u64(step) * part_floats;
    static_assert(most_splits == 64, "two parts a lane");
    for (int h = threadIdx.x / 32; h < GROUP; h += warps) {
        float2 weight[2];
        for (int k = 0; k < 2; k++)
            weight[k] = lane + 32 * k < splits ? load_shared_pair(parts + (lane + 32 * k) * stride + part_values + 2 * h) : float2{negative_infinity, 0};
        float most = fmaxf(weight[0].x, weight[1].x), sum = 0;
        for (int distance = 16; distance > 0; distance /= 2) most = fmaxf(most, __shfl_xor_sync(0xffffffff, most, distance));
        for (int k = 0; k < 2; k++) {
            const float factor = weight[k].x == negative_infinity ? 0 : exp2_fast(weight[k].x - most);
            shared.weight[h][lane + 32 * k] = factor;
            sum += factor * weight[k].y;
        }
        for (int distance = 16; distance > 0; distance /= 2) sum += __shfl_xor_sync(0xffffffff, sum, distance);
        if (lane == 0) shared.sum[0][h] = sum;
    }
    float2 value[mine] = {};
    for (int s = 0; s < splits; s += ahead) {
        float2 part[ahead][mine];
#pragma unroll
        for (int k = 0; k < ahead; k++)
#pragma unroll
            for (int i = 0; i < mine; i++) {
                const int at = threadIdx.x + i * threads;
                part[k][i] = s + k < splits && at < pairs ? load_shared_pair(parts + (s + k) * stride + 2 * at) : float2{0, 0};
            }
        if (s == 0) __syncthreads();
#pragma unroll
        for (int k = 0; k < ahead; k++)
#pragma unroll
            for (int i = 0; i < mine; i++) {
                const float factor = s + k < splits ? shared.weight[min(int(threadIdx.x) + i * threads, pairs - 1) * 2 / HEAD_DIM][s + k] : 0;
                value[i].x += factor * part[k][i].x;
                value[i].y += factor * part[k][i].y;
            }
    }
#pragma unroll
    for (int i = 0; i < mine; i++) {
        const int at = 2 * (threadIdx.x + i * threads);
        if (at < part_values) *reinterpret_cast<float2*>(&shared.output[0][at / HEAD_DIM][at % HEAD_DIM]) = value[i];
    }
    __syncthreads();
    finish(p, shared.output[0], shared.sum[0], row, kv_head);
}
