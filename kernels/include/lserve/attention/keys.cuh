// Scores of 32 tokens (a tile) against a group's queries, from the planes of key codes. Tokens are the rows of the product: lane l holds
// tokens 4·(l / 4) … +3, rows l / 4 and l / 4 + 8 of two products.
#pragma once

#include <lserve/attention/queries.cuh>

namespace lserve {

/// ReadBits: how many of the high bits of a code are read; a code then stands for the middle of those it shares them with.
template <int D, int KeyBits, int ValueBits, int Group, int ReadBits = KeyBits> struct KeyTile {
    using Page = KvPage<D, KeyBits, ValueBits>;
    using Query = Queries<D, Group, (KeyBits < 16)>;
    static constexpr int chunks = Page::channels / 64;
    static constexpr bool quantised = KeyBits < 16;
    static constexpr bool reads_middle = quantised && ReadBits >= 4, reads_low = ReadBits == 8;
    static constexpr int words = quantised ? 1 + reads_middle + 2 * reads_low : 8;  // words of a lane and token in 64 channels

    vec4 code[chunks][words];
    vec4 scale;  // (low, scale) of the lane's 4 tokens

    __device__ __forceinline__ void load(const u8* page, int half, int lane)
    {
#pragma unroll
        for (int i = 0; i < chunks; i++) load_chunk(i, i, page, half, lane);
    }

    /// Chunk `chunk` of the page's channels into `code[i]`.
    __device__ __forceinline__ void load_chunk(int i, int chunk, const u8* page, int half, int lane)
    {
        const int slot = half * tile_tokens + lane / 4 * 4, word = lane % 4 + 4 * chunk;  // among those of 16 channels
        if constexpr (quantised) {
            code[i][0] = load_streaming(page + Page::high + Page::key_word(2, word, slot));
            if constexpr (reads_middle) code[i][1] = load_streaming(page + Page::middle + Page::key_word(2, word, slot));
            if constexpr (reads_low)
                for (int k = 0; k < 2; k++) code[i][2 + k] = load_streaming(page + Page::low + Page::key_word(4, 2 * word + k, slot));
            scale = load_streaming(page + Page::key_scale + slot * 4);
        } else {
#pragma unroll
            for (int k = 0; k < 8; k++) code[i][k] = load_streaming(page + Page::high + Page::key_word(16, 8 * word + k, slot));
        }
    }

    static __device__ __forceinline__ u32 part(const vec4& v, int token) { return token == 0 ? v.x : token == 1 ? v.y : token == 2 ? v.z : v.w; }

    // Products are of codes less `base`, so that nothing large cancels. Of the top two bits t alone, of 1 + t / 4 and (for even pairs, with four
    // times the query) 1 + t / 16, which needs fewest instructions; `scores` takes the ones off again.
    static constexpr bool top_two = quantised && ReadBits == 2;
    static constexpr int base = KeyBits == ReadBits ? 1 << (KeyBits - 1) : (1 << (KeyBits - 1)) - (1 << (KeyBits - ReadBits - 1));
    static constexpr u32 offset16x2 = 0x00010001u * (0x6400u + base);
    static constexpr float middle = top_two ? float((1 << (KeyBits - 2)) - 1) / 2 : KeyBits == ReadBits ? float(base) : float((1 << KeyBits) - 1) / 2;

    /// The 16-channel word's 8 pairs of one token and chunk, as A operands of its 4 products: element 2·j + pair.
    __device__ __forceinline__ void elements(u32 (&x)[8], int i, int token) const
    {
        if constexpr (!quantised) {
#pragma unroll
            for (int p = 0; p < 8; p++) x[p] = part(code[i][p], token);
        } else if constexpr (top_two) {
            const u32 high = part(code[i][0], token);
#pragma unroll
            for (int p = 0; p < 8; p += 2) {
                const u32 two = p < 3 ? high << (6 - 2 * p) : high >> (2 * p - 6);
                x[p] = 0x3c003c00 | (two & 0x00c000c0);
                x[p + 1] = 0x3c003c00 | (two & 0x03000300);
            }
        } else {
            const u32 high = part(code[i][0], token), middle = part(code[i][1], token);
            const u32 odd = (high & 0xcccccccc) | (middle & 0x33333333), even = (high & 0x33333333) << 2 | (middle >> 2 & 0x33333333);
            if constexpr (reads_low) {
                const u32 low[2] = {part(code[i][2], token), part(code[i][3], token)};
                const u32 nibbles[2] = {even, odd};
#pragma unroll
                for (int parity = 0; parity < 2; parity++) {
                    const u32 upper = (nibbles[parity] & 0xf0f0f0f0) | (low[parity] & 0x0f0f0f0f), lower = (nibbles[parity] & 0x0f0f0f0f) << 4 | (low[parity] >> 4 & 0x0f0f0f0f);
                    x[parity] = sub_f16x2(pick_bytes(lower, 0x64646464, 0x4240), offset16x2);
                    x[parity + 2] = sub_f16x2(pick_bytes(upper, 0x64646464, 0x4240), offset16x2);
                    x[parity + 4] = sub_f16x2(pick_bytes(lower, 0x64646464, 0x4341), offset16x2);
                    x[parity + 6] = sub_f16x2(pick_bytes(upper, 0x64646464, 0x4341), offset16x2);
                }
            } else {
                constexpr int left = KeyBits - 4;  // a nibble is the top of an 8-bit code, or all of a 4-bit one
#pragma unroll
                for (int p = 0; p < 8; p++) {
                    const u32 nibbles = p % 2 ? odd : even;
                    const int up = left - p / 2 * 4;
                    x[p] = sub_f16x2(0x64006400 | ((up >= 0 ? nibbles << up : nibbles >> -up) & (0x000f000f << left)), offset16x2);
                }
            }
        }
    }

    /// score[m][r]: base-2 score of token 4·(lane / 4) + 2·m + r / 2 for query head first_head + r % 2.
    __device__ __forceinline__ void scores(float (&score)[2][4], const typename Query::Shared& shared, int lane) const
    {
#pragma unroll
        for (int m = 0; m < 2; m++)
#pragma unroll
            for (int r = 0; r < 4; r++) score[m][r] = 0;
#pragma unroll
        for (int i = 0; i < chunks; i++) {
            u32 fragment[4][2];
            Query::load(fragment, shared, i, lane, top_two);
#pragma unroll
            for (int m = 0; m < 2; m++) {
                u32 x[8], y[8];
                elements(x, i, 2 * m);
                elements(y, i, 2 * m + 1);
#pragma unroll
                for (int j = 0; j < 4; j++) mma_f16(score[m], x[2 * j], y[2 * j], x[2 * j + 1], y[2 * j + 1], fragment[j][0], fragment[j][1]);
            }
        }
        const int head = first_head<Group>(lane);
#pragma unroll
        for (int m = 0; m < 2; m++)
#pragma unroll
            for (int r = 0; r < 4; r++) {
                float s = score[m][r];
                if constexpr (Query::in_two_parts) s += __shfl_xor_sync(0xffffffff, s, 2);
                if constexpr (quantised) {
                    const u32 token = part(scale, 2 * m + r / 2);
                    const float low = low_f32(token), step = high_f32(token);
                    if constexpr (top_two) s = float(1 << KeyBits) * (s - shared.ones[head + r % 2]);
                    s = step * s + (low + middle * step) * shared.sum[head + r % 2];
                }
                score[m][r] = s * shared.factor[head + r % 2];
            }
    }
};

}  // namespace lserve
