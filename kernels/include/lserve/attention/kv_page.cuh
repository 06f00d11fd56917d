// The bytes of one page of one KV head: docs/KV_LAYOUT.md draws them, and names the files that change together.
//   channels  D rounded up to a multiple of 64; what is beyond D is zero
//   tile      32 tokens; a page is two of them
//   keys      planes of code bits, each [tile][word][32 tokens] 32-bit words; a word holds 32 / bits channels of one token
//   values    [tile][unit][4 token groups][16 bytes]; 16 bytes hold 8 tokens of 16 / bits channels
//   low/scale one pair of binary16 per token
#pragma once

#include <lserve/types.cuh>

namespace lserve {

constexpr int page_tokens = 64, tile_tokens = 32, logical_tokens = 16, logical_pages = page_tokens / logical_tokens;

template <int D, int KeyBits, int ValueBits> struct KvPage {
    static_assert(KeyBits == 16 || KeyBits == 8 || KeyBits == 4, "key precision");
    static_assert(ValueBits == 16 || ValueBits == 8 || ValueBits == 4, "value precision");
    static constexpr int channels = (D + 63) / 64 * 64;
    static constexpr bool keys_quantised = KeyBits < 16, values_quantised = ValueBits < 16;

    static constexpr int plane(int bits) { return page_tokens * channels * bits / 8; }
    static constexpr int high = 0;                                                          // the top 2 bits of a code; all 16 of a float
    static constexpr int key_scale = high + plane(keys_quantised ? 2 : 16);                 // [64] (low, scale)
    static constexpr int middle = key_scale + (keys_quantised ? page_tokens * 4 : 0);       // the next 2 bits
    static constexpr int low = middle + (keys_quantised ? plane(2) : 0);                    // the low 4 bits of an 8-bit code
    static constexpr int values = low + (KeyBits == 8 ? plane(4) : 0);
    static constexpr int value_scale = values + plane(ValueBits);                           // [64] (low, scale)
    static constexpr int statistics = value_scale + (values_quantised ? page_tokens * 4 : 0);
    static constexpr int streaming_bytes = statistics;                                      // pages of streaming heads end here
                                                                                            // retrieval heads: [2][D / 8][4 logical pages][8] binary16

    static constexpr int channels_per_unit = 16 / ValueBits;
    static constexpr int value_tile = tile_tokens * channels * ValueBits / 8;

    /// Byte of the word `word` of the token in `slot`, in a plane of `bits` bits.
    static __device__ __forceinline__ int key_word(int bits, int word, int slot)
    {
        return ((slot / tile_tokens * (channels * bits / 32) + word) * tile_tokens + slot % tile_tokens) * 4;
    }

    /// Byte of the 8 tokens of `channel` that the token in `slot` belongs to.
    static __device__ __forceinline__ int value_group(int channel, int slot)
    {
        const int unit = channel / channels_per_unit, group = slot % tile_tokens / 8;
        return values + slot / tile_tokens * value_tile + (unit * 4 + group) * 16 + channel % channels_per_unit * ValueBits;
    }

    /// Byte of a channel's statistic (0: mean or maximum, 1: deviation or minimum) in logical page 0 … 3.
    static __device__ __forceinline__ int statistic(int which, int channel, int logical)
    {
        return statistics + which * logical_pages * D * 2 + (channel / 8 * logical_pages + logical) * 16 + channel % 8 * 2;
    }
};

}  // namespace lserve
