// The 64 rows of a consumer warpgroup of attention/attention_prefill.cu, in the layout of wgmma's A and D: a lane has rows g and g + 8 of its
// warp's 16, and of each the channels 8·j + 2·q, +1.
#pragma once

#include <lserve/attention/warp.cuh>
#include <lserve/wgmma.cuh>

namespace lserve {

/// Multiplies a row by the orthonormal Hadamard matrix; x[2·j + e] is channel 8·j + 2·q + e.
template <int D, int Channels> __device__ __forceinline__ void rotate_row(float (&x)[Channels / 4], int lane)
{
    constexpr int block = hadamard_block(D), count = Channels / 4;
#pragma unroll
    for (int step = 1; step < block; step *= 2)
        if (step == 2 || step == 4) {
#pragma unroll
            for (int i = 0; i < count; i++) {
                const float other = __shfl_xor_sync(0xffffffff, x[i], step / 2);
                x[i] = lane & step / 2 ? other - x[i] : x[i] + other;
            }
        } else {
            const int apart = step == 1 ? 1 : step / 4;
#pragma unroll
            for (int i = 0; i < count; i++)
                if (!(i & apart)) {
                    const float a = x[i], b = x[i + apart];
                    x[i] = a + b;
                    x[i + apart] = a - b;
                }
        }
    const float scale = 1 / sqrtf(float(block));
#pragma unroll
    for (int i = 0; i < count; i++) x[i] *= scale;
}

/// Reads a query (null: zeros), rotates it, divides it by a power of two and rounds it to binary16: operands 2·half of each 16 channels.
/// Returns what turns its products into scores in base 2.
template <int D, int Channels, bool Rotate, typename Write> __device__ __forceinline__ float load_query(const float* query, int lane, Write write)
{
    float x[Channels / 4], most = 0;
#pragma unroll
    for (int j = 0; j < Channels / 8; j++) {
        const int c = 8 * j + 2 * (lane % 4);
        const float2 pair = query && c < D ? *reinterpret_cast<const float2*>(query + c) : float2{0, 0};
        x[2 * j] = pair.x;
        x[2 * j + 1] = pair.y;
    }
    if constexpr (Rotate) rotate_row<D, Channels>(x, lane);
#pragma unroll
    for (int i = 0; i < Channels / 4; i++) most = fmaxf(most, fabsf(x[i]));
    for (int step = 1; step < 4; step *= 2) most = fmaxf(most, __shfl_xor_sync(0xffffffff, most, step));
    const int exponent = min(max(int(__float_as_uint(most) >> 23) - 127, -100), 100);
    const float down = __uint_as_float(u32(127 - exponent) << 23), up = __uint_as_float(u32(127 + exponent) << 23);
#pragma unroll
    for (int j = 0; j < Channels / 8; j++) write(j, pack_f16x2(x[2 * j] * down, x[2 * j + 1] * down));
    return up * 1.4426950408889634f / sqrtf(float(D));
}

/// What rows have seen so far. Weights are relative to `most`, which follows the scores when they exceed it by more than `slack`: a row's sums
/// depend on its own scores alone.
template <int Channels> struct PrefillRows {
    static constexpr int width = Channels < 128 ? Channels : 128, parts = Channels / width;
    static constexpr float slack = 8;

    float output[parts][width / 2];
    float most[2], sum[2];  // base 2; sums of the lane's own tokens until `total`

    __device__ __forceinline__ void clear()
    {
#pragma unroll
        for (int part = 0; part < parts; part++)
#pragma unroll
            for (int i = 0; i < width / 2; i++) output[part][i] = 0;
        for (int r = 0; r < 2; r++) {
            most[r] = -1e30f;
            sum[r] = 0;
        }
    }

    /// Scores of 64 tokens into weights, as A operands of their 4 products.
    __device__ __forceinline__ void weigh(u32 (&weights)[4][4], const float (&score)[32], const float (&factor)[2])
    {
        float down[2];
#pragma unroll
        for (int r = 0; r < 2; r++) {
            float top = negative_infinity;
#pragma unroll
            for (int j = 0; j < 8; j++) top = fmaxf(top, fmaxf(score[4 * j + 2 * r], score[4 * j + 2 * r + 1]));
            for (int step = 1; step < 4; step *= 2) top = fmaxf(top, __shfl_xor_sync(0xffffffff, top, step));
            top *= factor[r];
            const float next = top > most[r] + slack ? top : most[r];
            down[r] = exp2_fast(most[r] - next);
            most[r] = next;
        }
        if (__any_sync(0xffffffff, down[0] != 1 || down[1] != 1)) {
            for (int r = 0; r < 2; r++) sum[r] *= down[r];
#pragma unroll
            for (int part = 0; part < parts; part++)
#pragma unroll
                for (int i = 0; i < width / 2; i++) output[part][i] *= down[i / 2 % 2];
        }
#pragma unroll
        for (int j = 0; j < 8; j++)
#pragma unroll
            for (int r = 0; r < 2; r++) {
                const float a = exp2_fast(score[4 * j + 2 * r] * factor[r] - most[r]), b = exp2_fast(score[4 * j + 2 * r + 1] * factor[r] - most[r]);
                sum[r] += a + b;
                weights[j / 2][j % 2 * 2 + r] = pack_f16x2(a, b);
            }
    }

    __device__ __forceinline__ void total()
    {
        for (int r = 0; r < 2; r++)
            for (int step = 1; step < 4; step *= 2) sum[r] += __shfl_xor_sync(0xffffffff, sum[r], step);
    }

    /// Row r's output: divided, and rotated back. x[2·j + e] is channel 8·j + 2·q + e.
    template <int D, bool Rotate> __device__ __forceinline__ void finish(float (&x)[Channels / 4], int r, int lane) const
    {
        const float scale = sum[r] > 0 ? 1 / sum[r] : 0;
#pragma unroll
        for (int i = 0; i < Channels / 4; i++) x[i] = output[i / (width / 4)][i % (width / 4) / 2 * 4 + 2 * r + i % 2] * scale;
        if constexpr (Rotate) rotate_row<D, Channels>(x, lane);
    }
};

}  // namespace lserve
