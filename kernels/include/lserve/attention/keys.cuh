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
        const int slot = half * tile_tokens + lane / 4 * 4, quarter = lane % 4;
#pragma unroll
        for (int i = 0; i < chunks; i++) {
            const int word = quarter + 4 * i;  // among those of 16 channels
            if constexpr (quantised) {
                code[i][0] = load_streaming(page + Page::high + Page::key_word(2, word, slot));
                if constexpr (reads_middle) code[i][1] = load_streaming(page + Page::middle + Page::key_word(2, word, slot));
                if constexpr (reads_low)
                    for (int k = 0; k < 2; k++) code[i][2 + k] = load_streaming(page + Page::low + Page::key_word(4, 2 * word + k, slot));
            } else {
#pragma unroll
                for (int k = 0; k < 8; k++) code[i][k] = load_streaming(page + Page::high + Page::key_word(16, 8 * word + k, slot));
            }
        }
        if constexpr (quantised) scale = load_streaming(page + Page::key_scale + slot * 4);
    }

    static __device__ __forceinline__ u32 part(const vec4& v, int token) { return token == 0 ? v.x : token == 1 ? v.y : token == 2 ? v.z : v.w; }
    static __device__ __forceinline__ u32 shifted(u32 x, int left) { return left >= 0 ? x << left : x >> -left; }

    /// Channels 4·j + 2·pair, +1 of chunk i as binary16, codes less their middle.
    __device__ __forceinline__ u32 element(int i, int j, int pair, int token) const
    {
        if constexpr (!quantised) return part(code[i][2 * j + pair], token);
        const int p = 2 * j + pair;                                             // pair of channels of a 16-channel word
        constexpr int top = KeyBits - 2;
        u32 x = 0x64006400 | (shifted(part(code[i][0], token), top - 2 * p) & (0x00030003u << top));
        if constexpr (reads_middle) x |= shifted(part(code[i][1], token), top - 2 - 2 * p) & (0x00030003u << (top - 2));
        if constexpr (reads_low) x |= part(code[i][2 + j / 2], token) >> 4 * (p % 4) & 0x000f000f;
        return sub_f16x2(x, offset16x2);
    }

    // A code c is multiplied as 1024 + c − (1024 + base), with what is missing to its value added by `scores`.
    static constexpr int base = KeyBits == ReadBits ? 1 << (KeyBits - 1) : (1 << (KeyBits - 1)) - (1 << (KeyBits - ReadBits - 1));
    static constexpr u32 offset16x2 = 0x00010001u * (0x6400u + base);
    static constexpr float middle = KeyBits == ReadBits ? float(base) : float((1 << KeyBits) - 1) / 2;

    /// score[m][r]: base-2 score of token 4·(lane / 4) + 2·m + r / 2 for query head first_head + r % 2.
    __device__ __forceinline__ void scores(float (&score)[2][4], const Query& query, const typename Query::Shared& shared, int lane) const
    {
#pragma unroll
        for (int m = 0; m < 2; m++)
#pragma unroll
            for (int r = 0; r < 4; r++) score[m][r] = 0;
#pragma unroll
        for (int i = 0; i < chunks; i++)
#pragma unroll
            for (int j = 0; j < 4; j++)
#pragma unroll
                for (int m = 0; m < 2; m++)
                    mma_f16(score[m], element(i, j, 0, 2 * m), element(i, j, 0, 2 * m + 1), element(i, j, 1, 2 * m), element(i, j, 1, 2 * m + 1),
                            query.fragment[4 * i + j][0], query.fragment[4 * i + j][1]);
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
                    s = step * s + (low + middle * step) * shared.sum[head + r % 2];
                }
                score[m][r] = s * shared.factor[head + r % 2];
            }
    }
};

}  // namespace lserve
