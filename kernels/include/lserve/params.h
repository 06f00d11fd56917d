// One argument struct per kernel, passed by value. Each is mirrored field by field in src/Cuda/Launch (snake_case there is PascalCase);
// tests/Kernels/Cuda compares sizes and offsets. Pointers are device addresses; shapes stand behind the fields. Keep 8-byte fields first.
// Names: R rows of the step, C hidden, H query heads, G KV heads, D channels of a head, F feed-forward, V vocabulary.
#pragma once

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
};

}  // namespace lserve
