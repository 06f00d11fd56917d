// Packed weights: a matrix [N outputs, K inputs] as tiles of 16 outputs, each a row of units of 32, 128 … inputs. A unit holds the codes as the
// file has them, in the order in which the lanes of a warp feed them to the tensor cores, and its scales behind. src/Cuda/Launch/WeightPacker.cs
// writes what this file reads.
//
// Element (row r of the tile, input k of a block of 32) belongs to lane 4·(r % 8) + k / 8, half r / 8, place k % 8. Place j of a lane is multiplied with
// x[8·(lane % 4) + j]: the order of k inside a block is the same for weights and activations, so it doesn't matter to the sum.
#pragma once

#include <lserve/mma.cuh>
#include <lserve/reduce.cuh>

namespace lserve {

constexpr int tile_rows = 16;
constexpr int block_columns = 32;  // inputs of a lane set: two k16 steps

enum Format { format_f16 = 0, format_q8_0 = 1, format_q4_0 = 2, format_q4_1 = 3, format_i8 = 4, format_i4 = 5 };

/// Two k16 steps of one block for one column tile: `lower` and `upper` are a lane's eight places of rows g and g + 8.
__device__ __forceinline__ void multiply_block(float (&d)[4], const vec4& lower, const vec4& upper, const vec4& x)
{
    mma_f16(d, lower.x, upper.x, lower.y, upper.y, x.x, x.y);
    mma_f16(d, lower.z, upper.z, lower.w, upper.w, x.z, x.w);
}

/// Every output's sum of x over the block.
__device__ __forceinline__ void sum_block(float (&d)[4], const vec4& x)
{
    constexpr u32 ones = 0x3c003c00;
    mma_f16(d, ones, ones, ones, ones, x.x, x.y);
    mma_f16(d, ones, ones, ones, ones, x.z, x.w);
}

/// acc += scale · part, the low half of `scales` for row g, the high one for row g + 8.
__device__ __forceinline__ void add_scaled(float (&acc)[4], const float (&part)[4], u32 scales)
{
    const float low = low_f32(scales), high = high_f32(scales);
    acc[0] = __fmaf_rn(low, part[0], acc[0]);
    acc[1] = __fmaf_rn(low, part[1], acc[1]);
    acc[2] = __fmaf_rn(high, part[2], acc[2]);
    acc[3] = __fmaf_rn(high, part[3], acc[3]);
}

/// Four bytes, each a code + 128, to four binary16 codes: 0x6400 | byte is 1024 + byte, exactly.
__device__ __forceinline__ void bytes_to_f16(u32 bytes, u32& first, u32& second)
{
    constexpr u32 offset = 0x64806480;  // 1152 twice
    first = sub_f16x2(__byte_perm(bytes, 0x64646464, 0x4140), offset);
    second = sub_f16x2(__byte_perm(bytes, 0x64646464, 0x4342), offset);
}

/// Eight nibbles to eight binary16 codes less Bias. Place j is nibble j / 2 + 4·(j % 2).
template <int Bias> __device__ __forceinline__ vec4 nibbles_to_f16(u32 w)
{
    constexpr u32 magic = 0x64006400, low_mask = 0x000f000f, high_mask = 0x00f000f0, sixteenth = 0x2c002c00;
    constexpr u32 low_offset = Bias == 8 ? 0x64086408 : 0x64006400;   // 1024 + Bias
    constexpr u32 high_offset = Bias == 8 ? 0xd480d480 : 0xd400d400;  // -(64 + Bias)
    static_assert(Bias == 0 || Bias == 8, "codes are unsigned or offset by 8");
    const u32 v = w >> 8;
    return {sub_f16x2((w & low_mask) | magic, low_offset), fma_f16x2((w & high_mask) | magic, sixteenth, high_offset),
            sub_f16x2((v & low_mask) | magic, low_offset), fma_f16x2((v & high_mask) | magic, sixteenth, high_offset)};
}

/// A lane's 16 codes of a block, packed as 4 bits.
template <int Bias> __device__ __forceinline__ void decode_nibbles(const u8* block, vec4& lower, vec4& upper)
{
    const vec2 codes = reinterpret_cast<const vec2*>(block)[lane_id()];
    lower = nibbles_to_f16<Bias>(codes.x);
    upper = nibbles_to_f16<Bias>(codes.y);
}

__device__ __forceinline__ int lane_of(int row, int k) { return 4 * (row % 8) + k / 8; }
__device__ __forceinline__ int nibble(const u8* codes, int row, int k)
{
    const u32 word = reinterpret_cast<const u32*>(codes)[2 * lane_of(row, k) + row / 8];
    return word >> (4 * ((k % 8) / 2 + 4 * (k % 2))) & 15;
}

/// How a unit is read: `multiply` adds its product with x (one vec4 per block of 32 and column tile) to the warp's sums; `decode` gives a lane's codes of a block
/// of 32, exactly, of rows g and g + 8; `element` gives one weight. Where codes are `scaled`, `scales` has what sums over a unit are multiplied by; where they
/// are `shifted`, `shifts` what every weight of the unit is moved by (row g in the low half, g + 8 in the high one).
template <int F> struct WeightFormat;

template <> struct WeightFormat<format_f16> {
    static constexpr int columns = 32, bytes = 1024;
    static constexpr bool scaled = false, shifted = false;

    static __device__ __forceinline__ void decode(const u8* unit, int, vec4& lower, vec4& upper)
    {
        lower = reinterpret_cast<const vec4*>(unit)[lane_id()];
        upper = reinterpret_cast<const vec4*>(unit)[warp_size + lane_id()];
    }

    template <int Tiles> static __device__ __forceinline__ void multiply(const u8* unit, const vec4 (&x)[1][Tiles], float (&acc)[Tiles][4])
    {
        vec4 lower, upper;
        decode(unit, 0, lower, upper);
#pragma unroll
        for (int t = 0; t < Tiles; t++) multiply_block(acc[t], lower, upper, x[0][t]);
    }

    static __device__ float element(const u8* unit, int row, int k)
    {
        return to_f32(reinterpret_cast<const f16*>(unit)[(row / 8 * warp_size + lane_of(row, k)) * 8 + k % 8]);
    }
};

/// Codes of int8; the scale belongs to the whole row and is applied to the sum.
template <> struct WeightFormat<format_i8> {
    static constexpr int columns = 32, bytes = 512;
    static constexpr bool scaled = false, shifted = false;

    template <int Tiles> static __device__ __forceinline__ void multiply(const u8* unit, const vec4 (&x)[1][Tiles], float (&acc)[Tiles][4])
    {
        vec4 lower, upper;
        decode(unit, 0, lower, upper);
#pragma unroll
        for (int t = 0; t < Tiles; t++) multiply_block(acc[t], lower, upper, x[0][t]);
    }

    static __device__ __forceinline__ void decode(const u8* unit, int, vec4& lower, vec4& upper)
    {
        const vec4 codes = reinterpret_cast<const vec4*>(unit)[lane_id()];
        bytes_to_f16(codes.x, lower.x, lower.y);
        bytes_to_f16(codes.y, lower.z, lower.w);
        bytes_to_f16(codes.z, upper.x, upper.y);
        bytes_to_f16(codes.w, upper.z, upper.w);
    }

    static __device__ float element(const u8* unit, int row, int k) { return unit[lane_of(row, k) * 16 + row / 8 * 8 + k % 8] - 128.0f; }
};

/// GGUF Q8_0: int8 codes, a binary16 scale per 32.
template <> struct WeightFormat<format_q8_0> {
    static constexpr int columns = 32, bytes = 544, scales_at = 512;
    static constexpr bool scaled = true, shifted = false;

    static __device__ __forceinline__ void decode(const u8* unit, int, vec4& lower, vec4& upper) { WeightFormat<format_i8>::decode(unit, 0, lower, upper); }
    static __device__ __forceinline__ u32 scales(const u8* unit) { return reinterpret_cast<const u32*>(unit + scales_at)[lane_id() / 4]; }

    template <int Tiles> static __device__ __forceinline__ void multiply(const u8* unit, const vec4 (&x)[1][Tiles], float (&acc)[Tiles][4])
    {
        vec4 lower, upper;
        decode(unit, 0, lower, upper);
        const u32 factors = scales(unit);
#pragma unroll
        for (int t = 0; t < Tiles; t++) {
            float part[4] = {};
            multiply_block(part, lower, upper, x[0][t]);
            add_scaled(acc[t], part, factors);
        }
    }

    static __device__ float element(const u8* unit, int row, int k)
    {
        return to_f32(reinterpret_cast<const f16*>(unit + scales_at)[row % 8 * 2 + row / 8]) * WeightFormat<format_i8>::element(unit, row, k);
    }
};

/// GGUF Q4_0: codes of 4 bits less 8, a binary16 scale per 32.
template <> struct WeightFormat<format_q4_0> {
    static constexpr int columns = 32, bytes = 288, scales_at = 256;
    static constexpr bool scaled = true, shifted = false;

    static __device__ __forceinline__ void decode(const u8* unit, int, vec4& lower, vec4& upper) { decode_nibbles<8>(unit, lower, upper); }
    static __device__ __forceinline__ u32 scales(const u8* unit) { return reinterpret_cast<const u32*>(unit + scales_at)[lane_id() / 4]; }

    template <int Tiles> static __device__ __forceinline__ void multiply(const u8* unit, const vec4 (&x)[1][Tiles], float (&acc)[Tiles][4])
    {
        vec4 lower, upper;
        decode(unit, 0, lower, upper);
        const u32 factors = scales(unit);
#pragma unroll
        for (int t = 0; t < Tiles; t++) {
            float part[4] = {};
            multiply_block(part, lower, upper, x[0][t]);
            add_scaled(acc[t], part, factors);
        }
    }

    static __device__ float element(const u8* unit, int row, int k)
    {
        return to_f32(reinterpret_cast<const f16*>(unit + scales_at)[row % 8 * 2 + row / 8]) * (nibble(unit, row, k) - 8);
    }
};

/// GGUF Q4_1: codes of 4 bits, a binary16 scale and minimum per 32.
template <> struct WeightFormat<format_q4_1> {
    static constexpr int columns = 32, bytes = 320, scales_at = 256;
    static constexpr bool scaled = true, shifted = true;

    static __device__ __forceinline__ void decode(const u8* unit, int, vec4& lower, vec4& upper) { decode_nibbles<0>(unit, lower, upper); }
    static __device__ __forceinline__ u32 scales(const u8* unit) { return reinterpret_cast<const vec2*>(unit + scales_at)[lane_id() / 4].x; }
    static __device__ __forceinline__ u32 shifts(const u8* unit) { return reinterpret_cast<const vec2*>(unit + scales_at)[lane_id() / 4].y; }

    template <int Tiles> static __device__ __forceinline__ void multiply(const u8* unit, const vec4 (&x)[1][Tiles], float (&acc)[Tiles][4])
    {
        vec4 lower, upper;
        decode(unit, 0, lower, upper);
        const u32 factors = scales(unit), terms = shifts(unit);
#pragma unroll
        for (int t = 0; t < Tiles; t++) {
            float part[4] = {}, sum[4] = {};
            multiply_block(part, lower, upper, x[0][t]);
            sum_block(sum, x[0][t]);
            add_scaled(acc[t], part, factors);
            add_scaled(acc[t], sum, terms);
        }
    }

    static __device__ float element(const u8* unit, int row, int k)
    {
        const f16* scales = reinterpret_cast<const f16*>(unit + scales_at) + row % 8 * 4 + row / 8;
        return __fmaf_rn(to_f32(scales[0]), static_cast<float>(nibble(unit, row, k)), to_f32(scales[2]));
    }
};

/// Codes of 4 bits less 8, a binary16 scale per 128.
template <> struct WeightFormat<format_i4> {
    static constexpr int columns = 128, bytes = 1056, blocks = 4, block_bytes = 256, scales_at = 1024;
    static constexpr bool scaled = true, shifted = false;

    static __device__ __forceinline__ void decode(const u8* unit, int block, vec4& lower, vec4& upper) { decode_nibbles<8>(unit + block * block_bytes, lower, upper); }
    static __device__ __forceinline__ u32 scales(const u8* unit) { return reinterpret_cast<const u32*>(unit + scales_at)[lane_id() / 4]; }

    template <int Tiles> static __device__ __forceinline__ void multiply(const u8* unit, const vec4 (&x)[blocks][Tiles], float (&acc)[Tiles][4])
    {
        float part[Tiles][4] = {};
#pragma unroll
        for (int b = 0; b < blocks; b++) {
            vec4 lower, upper;
            decode(unit, b, lower, upper);
#pragma unroll
            for (int t = 0; t < Tiles; t++) multiply_block(part[t], lower, upper, x[b][t]);
        }
        const u32 factors = scales(unit);
#pragma unroll
        for (int t = 0; t < Tiles; t++) add_scaled(acc[t], part[t], factors);
    }

    static __device__ float element(const u8* unit, int row, int k)
    {
        return to_f32(reinterpret_cast<const f16*>(unit + scales_at)[row % 8 * 2 + row / 8]) *
               (nibble(unit + k / block_columns * block_bytes, row, k % block_columns) - 8);
    }
};

}  // namespace lserve
