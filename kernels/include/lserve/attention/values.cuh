// Products of a tile's probabilities with its values. Channels are the rows of the product, tokens its inner dimension, query heads its columns,
// so that the accumulators' columns are those of the scores.
#pragma once

#include <lserve/attention/kv_page.cuh>
#include <lserve/attention/warp.cuh>

namespace lserve {

template <int D, int KeyBits, int ValueBits> struct ValueTile {
    using Page = KvPage<D, KeyBits, ValueBits>;
    static constexpr bool quantised = ValueBits < 16;
    static constexpr int products = Page::channels / 16;                 // of 16 channels
    static constexpr int loads = Page::channels * ValueBits / 128;       // 16-byte loads of a lane
    static constexpr float base = quantised ? float(1 << (ValueBits - 1)) : 0.0f;

    vec4 code[loads];
    vec4 scale;  // (low, scale) of tokens 4·(lane / 4) … +3, as for keys

    __device__ __forceinline__ void load_scales(const u8* page, int half, int lane)
    {
        if constexpr (quantised) scale = load_streaming(page + Page::value_scale + (half * tile_tokens + lane / 4 * 4) * 4);
    }

    __device__ __forceinline__ void load(const u8* page, int half, int lane)
    {
#pragma unroll
        for (int k = 0; k < loads; k++) code[k] = load_streaming(page + Page::values + half * Page::value_tile + k * 512 + lane * 16);
    }

    /// Clears tokens that `mask` (bit: token of the tile) hides; what lies there may be anything.
    __device__ __forceinline__ void hide(u32 mask, int lane)
    {
        if constexpr (!quantised) {
            const u32 mine = mask >> lane % 4 * 8;
            const auto keep = [&](int token) { return (mine >> token & 1 ? 0x0000ffffu : 0u) | (mine >> (token + 1) & 1 ? 0xffff0000u : 0u); };
            const u32 keep0 = keep(0), keep2 = keep(2), keep4 = keep(4), keep6 = keep(6);
#pragma unroll
            for (int k = 0; k < loads; k++) {
                code[k].x &= keep0;
                code[k].y &= keep2;
                code[k].z &= keep4;
                code[k].w &= keep6;
            }
        }
    }

    /// Channel of row `row` of product n.
    static __device__ __forceinline__ int channel(int n, int row)
    {
        if constexpr (ValueBits == 16) return 16 * n + row;
        if constexpr (ValueBits == 8) return 16 * n + row % 8 * 2 + row / 8;
        return n / 2 * 32 + row % 8 * 4 + n % 2 * 2 + row / 8;
    }

    /// Tokens 8·(lane % 4) + x and + 4 of channel(n, lane / 4 + 8·upper) as binary16, codes less their middle.
    __device__ __forceinline__ u32 element(int n, int upper, int x) const
    {
        if constexpr (ValueBits == 16) {
            const vec4& v = code[2 * n + upper];
            return x < 2 ? pick_bytes(v.x, v.z, x ? 0x7632 : 0x5410) : pick_bytes(v.y, v.w, x % 2 ? 0x7632 : 0x5410);
        } else if constexpr (ValueBits == 8) {
            const vec4& v = code[n];
            const u32 bytes = pick_bytes(upper ? v.z : v.x, upper ? v.w : v.y, 0x0400u + 0x0101u * x);
            return sub_f16x2(0x64006400 | (bytes & 0x00ff00ff), 0x64806480);
        } else {
            const vec4& v = code[n / 2];
            const u32 word = (n % 2 ? (upper ? v.w : v.z) : (upper ? v.y : v.x)) >> (x < 2 ? 0 : 8);
            if (x % 2 == 0) return sub_f16x2(0x64006400 | (word & 0x000f000f), 0x64086408);
            return fma_f16x2(0x64006400 | (word & 0x00f000f0), 0x2c002c00, 0xd480d480);  // (1024 + 16 c) / 16 − 72
        }
    }

    /// output[n] += values of product n · weights; weights[m]: B operand of tokens 8·q + 2·m (+4 | +1, +5).
    __device__ __forceinline__ void accumulate(float (&output)[products][4], const u32 (&weights)[2][2]) const
    {
#pragma unroll
        for (int n = 0; n < products; n++)
#pragma unroll
            for (int m = 0; m < 2; m++)
                mma_f16(output[n], element(n, 0, 2 * m), element(n, 1, 2 * m), element(n, 0, 2 * m + 1), element(n, 1, 2 * m + 1), weights[m][0], weights[m][1]);
    }
};

}  // namespace lserve
