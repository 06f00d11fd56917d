// One argument struct per kernel, passed by value. Each is mirrored field by field in src/Cuda/Launch (snake_case there is PascalCase);
// tests/Kernels/Cuda compares sizes and offsets. Pointers are device addresses; shapes stand behind the fields. Keep 8-byte fields first.
// Names: R rows of the step, C hidden, H query heads, G KV heads, D channels of a head, F feed-forward, V vocabulary.
#pragma once

#include <lserve/attention/params.h>
#include <lserve/types.cuh>

namespace lserve {

/// pointwise/rms_norm.cu
struct RmsNormParams {
    const float* x;      // [R, C], row r at x + row(r) · C
    const float* gain;   // [C]
    f16* y;              // [R, C]
    const int* rows;     // [R] row of x to read, or null: r itself
    int columns;         // C, multiple of 4
    float epsilon;
    int transposed;      // so many rows, the last ones, are written as lserve/operand_order.cuh says; C is then a multiple of 32
    int unused;
};

/// The driver's description of a tensor for the copy engine.
struct alignas(64) TensorMap {
    u64 words[16];
};

/// linear/decode.cu, linear/prefill.cu
struct LinearParams {
    const u8* weight;        // packed tiles, lserve/weights.cuh
    const f16* x;            // [R, K]
    float* y;                // [R, N], row r at y + r · y_stride
    const float* bias;       // [N] or null
    const float* row_scale;  // [N] or null: what a whole row's codes are multiplied by
    int outputs;             // N
    int columns;             // K, multiple of the format's unit
    int rows;                // R
    int y_stride;            // floats
    int add;                 // 1: y += …
    int stages;              // slots of a warp's ring (decode)
};

/// linear/prefill.cu
struct LinearPrefillParams {
    alignas(64) TensorMap x_map;  // x [R, K] in boxes of 64 inputs and the block's rows, swizzled by 128 bytes
    LinearParams product;
};

/// pointwise/embed.cu
struct EmbedParams {
    const u8* table;         // packed tiles [V, C]
    const float* row_scale;  // [V] or null
    const int* tokens;       // [R]
    float* x;                // [R, C]
    int columns;             // C
    int vocabulary;          // V: other ids give zeros
};

/// pointwise/silu_mul.cu
struct SiluMulParams {
    const float* gate_up;  // [R, 2F]
    f16* y;                // [R, F]
    int columns;           // F, multiple of 4
    int transposed;        // so many rows, the last ones, are written as lserve/operand_order.cuh says; F is then a multiple of 32
};

}  // namespace lserve
