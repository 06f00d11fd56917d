// The queries of one KV head's group as the B operand of mma m16n8k16: column h is query head h. With at most four heads the free columns
// h + 4 carry what binary16 cuts off, so that the products are those of float32 queries.
// Lane l (q = l % 4) of product 4·i + j covers channels 16·(q + 4·i) + 4·j + {0, 1 | 2, 3}: the order of channels is free, and this one lets a
// lane read 4 tokens of the same 16 channels from every plane.
#pragma once

#include <lserve/attention/kv_page.cuh>
#include <lserve/attention/warp.cuh>

namespace lserve {

template <int D, int Group, bool Rotate> struct Queries {
    static constexpr int channels = (D + 63) / 64 * 64, chunks = channels / 64, elements = (D + 31) / 32;
    static constexpr bool in_two_parts = Group <= 4;
    static constexpr int stride = channels + 4;  // binary16; keeps the lanes of a fragment load on different banks

    struct Shared {
        alignas(16) u16 columns[8 * stride];
        float sum[8];     // of the rounded query, before `factor`
        float ones[8];    // the same with even pairs of channels four times
        float factor[8];  // turns a product into a score in base 2
    };

    /// Whole block: rotates, scales by a power of two, rounds.
    static __device__ __forceinline__ void prepare(Shared& shared, const float* queries, int warps)
    {
        const int lane = threadIdx.x % 32;
        for (int c = threadIdx.x; c < 8 * stride; c += 32 * warps) {
            const int h = c / stride;
            if (!(h % (in_two_parts ? 4 : 8) < Group && c % stride < 32 * elements)) shared.columns[c] = 0;
        }
        if (threadIdx.x < 8 && threadIdx.x >= Group) shared.sum[threadIdx.x] = shared.ones[threadIdx.x] = shared.factor[threadIdx.x] = 0;
        for (int h = threadIdx.x / 32; h < Group; h += warps) {
            float x[elements], most = 0;
#pragma unroll
            for (int i = 0; i < elements; i++) {
                const int c = lane + 32 * i;
                x[i] = c < D ? queries[h * D + c] : 0;
            }
            if constexpr (Rotate) rotate<D>(x, lane);
#pragma unroll
            for (int i = 0; i < elements; i++) most = fmaxf(most, fabsf(x[i]));
            for (int step = 16; step > 0; step /= 2) most = fmaxf(most, __shfl_xor_sync(0xffffffff, most, step));
            const int exponent = min(max(int(__float_as_uint(most) >> 23) - 127, -100), 100);
            const float down = __uint_as_float(u32(127 - exponent) << 23), up = __uint_as_float(u32(127 + exponent) << 23);
            float sum = 0;
#pragma unroll
            for (int i = 0; i < elements; i++) {
                const int c = lane + 32 * i;
                const f16 high = to_f16(x[i] * down);
                shared.columns[h * stride + c] = high.bits;
                float rounded = to_f32(high);
                if constexpr (in_two_parts) {
                    const f16 low = to_f16(x[i] * down - rounded);
                    shared.columns[(h + 4) * stride + c] = low.bits;
                    rounded += to_f32(low);
                }
                sum += rounded;
            }
            float odd = lane & 2 ? sum : 0;
            for (int step = 16; step > 0; step /= 2) {
                sum += __shfl_xor_sync(0xffffffff, sum, step);
                odd += __shfl_xor_sync(0xffffffff, odd, step);
            }
            if (lane == 0) {
                shared.sum[h] = sum;
                shared.ones[h] = 4 * (sum - odd) + odd;
                shared.factor[h] = up * 1.4426950408889634f / sqrtf(float(D));
            }
        }
    }

    /// B operands of products 4·i … +3; the first half of each four times as large where asked for.
    static __device__ __forceinline__ void load(u32 (&fragment)[4][2], const Shared& shared, int i, int lane, bool even_four_times)
    {
        const u16* column = &shared.columns[lane / 4 * stride + 16 * (lane % 4 + 4 * i)];
#pragma unroll
        for (int j = 0; j < 4; j++) {
            const vec2 v = *reinterpret_cast<const vec2*>(column + 4 * j);
            fragment[j][0] = even_four_times ? mul_f16x2(v.x, 0x44004400) : v.x;
            fragment[j][1] = v.y;
        }
    }
};

/// The query heads of a lane's two accumulator columns.
template <int Group> __device__ __forceinline__ int first_head(int lane) { return (Group <= 4 ? 2 * lane & 3 : 2 * lane & 7); }

}  // namespace lserve
