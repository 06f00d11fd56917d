// Fixed-width names and 16-bit floats without any CUDA header, so that a kernel compiles wherever NVRTC is.
#pragma once

namespace lserve {

using i8 = signed char;
using u8 = unsigned char;
using i16 = short;
using u16 = unsigned short;
using i32 = int;
using u32 = unsigned int;
using i64 = long long;
using u64 = unsigned long long;

static_assert(sizeof(u16) == 2 && sizeof(u32) == 4 && sizeof(u64) == 8 && sizeof(void*) == 8, "64-bit targets only");

/// IEEE binary16, as bits.
struct f16 { u16 bits; };

/// bfloat16, as bits.
struct bf16 { u16 bits; };

/// Largest finite binary16.
constexpr float f16_max = 65504.0f;

__device__ __forceinline__ float to_f32(f16 x) { float y; asm("cvt.f32.f16 %0, %1;" : "=f"(y) : "h"(x.bits)); return y; }
__device__ __forceinline__ float to_f32(bf16 x) { return __uint_as_float(static_cast<u32>(x.bits) << 16); }
__device__ __forceinline__ float to_f32(float x) { return x; }

/// Rounds to nearest even; beyond f16_max it becomes infinite.
__device__ __forceinline__ f16 to_f16(float x) { f16 y; asm("cvt.rn.f16.f32 %0, %1;" : "=h"(y.bits) : "f"(x)); return y; }
__device__ __forceinline__ bf16 to_bf16(float x) { bf16 y; asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(y.bits) : "f"(x)); return y; }

/// Rounds to nearest even after clamping to ±65504, as the KV cache stores.
__device__ __forceinline__ f16 to_f16_clamped(float x) { return to_f16(fminf(fmaxf(x, -f16_max), f16_max)); }

/// Two floats as two binary16 in a register, `low` in the low half.
__device__ __forceinline__ u32 pack_f16x2(float low, float high)
{
    u32 y;
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(y) : "f"(high), "f"(low));
    return y;
}

__device__ __forceinline__ float low_f32(u32 f16x2) { return to_f32(f16{static_cast<u16>(f16x2 & 0xffff)}); }
__device__ __forceinline__ float high_f32(u32 f16x2) { return to_f32(f16{static_cast<u16>(f16x2 >> 16)}); }

__device__ __forceinline__ u32 add_f16x2(u32 a, u32 b) { u32 y; asm("add.rn.f16x2 %0, %1, %2;" : "=r"(y) : "r"(a), "r"(b)); return y; }
__device__ __forceinline__ u32 sub_f16x2(u32 a, u32 b) { u32 y; asm("sub.rn.f16x2 %0, %1, %2;" : "=r"(y) : "r"(a), "r"(b)); return y; }
__device__ __forceinline__ u32 mul_f16x2(u32 a, u32 b) { u32 y; asm("mul.rn.f16x2 %0, %1, %2;" : "=r"(y) : "r"(a), "r"(b)); return y; }
__device__ __forceinline__ u32 fma_f16x2(u32 a, u32 b, u32 c)
{
    u32 y;
    asm("fma.rn.f16x2 %0, %1, %2, %3;" : "=r"(y) : "r"(a), "r"(b), "r"(c));
    return y;
}

/// 16 bytes: the widest access of a thread.
struct alignas(16) vec4 { u32 x, y, z, w; };
struct alignas(8) vec2 { u32 x, y; };

constexpr int warp_size = 32;

template <typename T> __device__ __forceinline__ T ceil_div(T a, T b) { return (a + b - 1) / b; }

}  // namespace lserve
