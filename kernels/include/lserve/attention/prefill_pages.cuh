// Pages as B operands of wgmma: a warp turns codes into binary16 numbers, on their way from memory to shared memory.
//   keys    [D / 64][64 rows: tokens][64 channels]
//   values  [D rows: channels][64 tokens]
// each row of 128 bytes swizzled (wgmma.cuh). With 4-bit values the tokens of each eight come in the order 0, 4, 1, 5, 2, 6, 3, 7, which spares
// instructions; keys' rows follow. Tokens past `limit`, which may hold anything, become zeros.
#pragma once

#include <lserve/attention/keys.cuh>
#include <lserve/wgmma.cuh>

namespace lserve {

constexpr int key_chunk_bytes = page_tokens * 128;

/// What a code less `base` is multiplied by, and what is added then: two binary16 of one token.
struct Affine {
    u16 step, bias;

    /// `pair`: (low, scale); top: the largest code. Where the largest number would be infinite the step is the next smaller one.
    __device__ __forceinline__ Affine(u32 pair, float base, float top, bool hidden)
    {
        float scale = high_f32(pair);
        u32 bits = pair >> 16;
        if (low_f32(pair) + top * scale > f16_max) scale = to_f32(f16{u16(--bits)});
        step = hidden ? 0 : u16(bits);
        bias = hidden ? 0 : to_f16_clamped(low_f32(pair) + base * scale).bits;
    }
};

template <int D, int KeyBits, int ValueBits> struct PrefillKeys {
    using Keys = KeyTile<D, KeyBits, ValueBits, 1>;
    static constexpr int units = 2 * Keys::chunks, mine = (units + 3) / 4;  // of 32 tokens and 64 channels; units of a warp
    static constexpr bool interleaved = ValueBits == 4;

    Keys keys[mine];

    __device__ __forceinline__ void load(const u8* page, int warp, int lane)
    {
#pragma unroll
        for (int n = 0; n < mine; n++)
            if (warp + 4 * n < units) keys[n].load_chunk(0, (warp + 4 * n) / 2, page, warp % 2, lane);
    }

    __device__ __forceinline__ void store(u8* to, int limit, int warp, int lane) const
    {
#pragma unroll
        for (int n = 0; n < mine; n++) {
            if (warp + 4 * n >= units) break;
            u8* chunk = to + (warp + 4 * n) / 2 * key_chunk_bytes;
            const int first = warp % 2 * tile_tokens + lane / 4 * 4;
#pragma unroll
            for (int token = 0; token < 4; token++) {
                const bool hidden = first + token > limit;
                u32 x[8];
                keys[n].elements(x, 0, token);
                if constexpr (KeyBits == 16) {
#pragma unroll
                    for (int i = 0; i < 8; i++) x[i] = hidden ? 0 : x[i];
                } else {
                    const Affine affine(Keys::part(keys[n].scale, token), Keys::base, float((1 << KeyBits) - 1), hidden);
#pragma unroll
                    for (int i = 0; i < 8; i++) x[i] = fma_f16x2(x[i], affine.step * 0x10001u, affine.bias * 0x10001u);
                }
                const int row = interleaved ? first / 8 * 8 + 2 * token + first / 4 % 2 : first + token;
                const int flip = interleaved ? 0 : lane / 4 & 1;  // neighbours store to different banks
#pragma unroll
                for (int k = 0; k < 2; k++) {
                    const bool upper = k ^ flip;
                    *reinterpret_cast<vec4*>(chunk + swizzled(row, lane % 4 * 2 + upper)) =
                        upper ? vec4{x[4], x[5], x[6], x[7]} : vec4{x[0], x[1], x[2], x[3]};
                }
            }
        }
    }
};

template <int D, int KeyBits, int ValueBits> struct PrefillValues {
    using Page = KvPage<D, KeyBits, ValueBits>;
    static constexpr int units = Page::channels / 32, mine = (units + 3) / 4;    // of 64 tokens and 32 channels; units of a warp
    static constexpr int together = Page::channels_per_unit, loads = 8 / together;  // channels of 16 bytes; 16 bytes of a lane in a unit

    vec4 code[mine][loads], scale[2];  // (low, scale) of the lane's 8 tokens

    __device__ __forceinline__ static int channel(int unit, int k, int lane) { return 32 * unit + together * (lane / 8 + 4 * k); }

    __device__ __forceinline__ void load(const u8* page, int warp, int lane)
    {
        const int tile = lane / 4 % 2, group = lane % 4;
#pragma unroll
        for (int n = 0; n < mine; n++) {
            if (warp + 4 * n >= units) break;
#pragma unroll
            for (int k = 0; k < loads; k++)
                code[n][k] = load_streaming(page + Page::values + tile * Page::value_tile + (channel(warp + 4 * n, k, lane) / together * 4 + group) * 16);
        }
        if constexpr (ValueBits < 16)
            for (int i = 0; i < 2; i++) scale[i] = load_streaming(page + Page::value_scale + (lane % 8 * 8 + 4 * i) * 4);
    }

    __device__ __forceinline__ void store(u8* to, int limit, int warp, int lane) const
    {
        const int piece = lane % 8, first = piece * 8;
        u32 step[4], bias[4], keep[4];
#pragma unroll
        for (int i = 0; i < 4; i++) {
            const int a = ValueBits == 4 ? i : 2 * i, b = ValueBits == 4 ? i + 4 : 2 * i + 1;
            if constexpr (ValueBits < 16) {
                constexpr float base = 1 << (ValueBits - 1), top = (1 << ValueBits) - 1;
                const Affine low(pair(a), base, top, first + a > limit), high(pair(b), base, top, first + b > limit);
                step[i] = low.step | u32(high.step) << 16;
                bias[i] = low.bias | u32(high.bias) << 16;
            } else
                keep[i] = (first + a > limit ? 0 : 0xffffu) | (first + b > limit ? 0 : 0xffff0000u);
        }
#pragma unroll
        for (int n = 0; n < mine; n++) {
            if (warp + 4 * n >= units) break;
#pragma unroll
            for (int k = 0; k < loads; k++)
#pragma unroll
                for (int c = 0; c < together; c++) {
                    u32 x[4];
#pragma unroll
                    for (int i = 0; i < 4; i++)
                        if constexpr (ValueBits == 16) x[i] = word(code[n][k], i) & keep[i];
                        else x[i] = fma_f16x2(element(code[n][k], c, i), step[i], bias[i]);
                    *reinterpret_cast<vec4*>(to + swizzled(channel(warp + 4 * n, k, lane) + c, piece)) = vec4{x[0], x[1], x[2], x[3]};
                }
        }
    }

private:
    __device__ __forceinline__ static u32 word(const vec4& v, int i) { return i == 0 ? v.x : i == 1 ? v.y : i == 2 ? v.z : v.w; }
    __device__ __forceinline__ u32 pair(int token) const { return word(scale[token / 4], token % 4); }

    /// Codes less their middle: tokens 2·i, +1 of channel c of the 16 bytes, or i, +4 with 4 bits.
    __device__ __forceinline__ static u32 element(const vec4& v, int c, int i)
    {
        if constexpr (ValueBits == 8) return sub_f16x2(pick_bytes(word(v, 2 * c + i / 2), 0x64646464, i % 2 ? 0x4342 : 0x4140), 0x64806480);
        const u32 nibbles = word(v, c) >> (i < 2 ? 0 : 8);
        if (i % 2 == 0) return sub_f16x2(0x64006400 | (nibbles & 0x000f000f), 0x64086408);
        return fma_f16x2(0x64006400 | (nibbles & 0x00f000f0), 0x2c002c00, 0xd480d480);
    }
};

}  // namespace lserve
