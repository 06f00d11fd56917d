// Products of page statistics with queries on tensor cores: a part of select/select_score.cu and select_prompt.cu, which define the types and constants used here.
#pragma once

#include <lserve/attention/params.h>
#include <lserve/attention/warp.cuh>

__device__ __forceinline__ u32 upper_tf32(float x) { return __float_as_uint(x) & 0xffffe000; }

/// Both statistics of 16 logical pages: lane l has rows l / 4 and l / 4 + 8, channels 16 · (l % 4 + 4 · i) … +15 of each.
struct Statistics {
    vec4 value[2][2][chunks][2];  // which, half of the rows, chunk, half of the channels

    /// `pages`: of the lane's two rows, or null where the logical page isn't complete.
    __device__ __forceinline__ void load(const u8* const (&pages)[2], int lane)
    {
#pragma unroll
        for (int r = 0; r < 2; r++)
#pragma unroll
            for (int i = 0; i < chunks; i++)
#pragma unroll
                for (int e = 0; e < 2; e++)
#pragma unroll
                    for (int which = 0; which < 2; which++) {
                        const int channel = 16 * (lane % 4 + 4 * i) + 8 * e;
                        value[which][r][i][e] = {0, 0, 0, 0};
                        if (pages[r] && channel < HEAD_DIM) value[which][r][i][e] = load_streaming_pair(pages[r] + Page::statistic(which, channel, lane / 4 % logical_pages));
                    }
    }

    /// Channels 4·j + 2·pair, +1 of the lane's sixteen.
    __device__ __forceinline__ u32 word(int which, int r, int i, int j, int pair) const
    {
        const vec4& v = value[which][r][i][j / 2];
        return j % 2 ? (pair ? v.w : v.z) : (pair ? v.y : v.x);
    }
};

/// sum += statistics · queries of one part, in binary16.
__device__ __forceinline__ void multiply(float (&sum)[4], const Statistics& statistics, int which, const u16 (&columns)[8][stride], int lane)
{
#pragma unroll
    for (int i = 0; i < chunks; i++)
#pragma unroll
        for (int j = 0; j < 4; j++) {
            const vec2 q = *reinterpret_cast<const vec2*>(&columns[lane / 4][16 * (lane % 4 + 4 * i) + 4 * j]);
            mma_f16(sum, statistics.word(which, 0, i, j, 0), statistics.word(which, 1, i, j, 0), statistics.word(which, 0, i, j, 1), statistics.word(which, 1, i, j, 1), q.x, q.y);
        }
}

/// sum += squared deviations · squared queries of one part, in tf32, deviations in two parts.
__device__ __forceinline__ void multiply_squares(float (&sum)[4], const Statistics& statistics, const float (&columns)[8][stride], int lane)
{
#pragma unroll
    for (int i = 0; i < chunks; i++)
#pragma unroll
        for (int j = 0; j < 4; j++) {
            const float4 q = *reinterpret_cast<const float4*>(&columns[lane / 4][16 * (lane % 4 + 4 * i) + 4 * j]);
#pragma unroll
            for (int pair = 0; pair < 2; pair++) {
                float square[4];
#pragma unroll
                for (int k = 0; k < 4; k++) {
                    const u32 word = statistics.word(1, k % 2, i, j, pair);
                    const float x = k < 2 ? low_f32(word) : high_f32(word);
                    square[k] = x * x;
                }
                const u32 b0 = __float_as_uint(pair ? q.z : q.x), b1 = __float_as_uint(pair ? q.w : q.y);
                u32 upper[4], lower[4];
#pragma unroll
                for (int k = 0; k < 4; k++) {
                    upper[k] = upper_tf32(square[k]);
                    lower[k] = __float_as_uint(square[k] - __uint_as_float(upper[k]));
                }
                mma_tf32(sum, upper, b0, b1);
                mma_tf32(sum, lower, b0, b1);
            }
        }
}
