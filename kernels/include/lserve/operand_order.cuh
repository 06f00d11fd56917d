// The order in which rows that linear/prefill.cu multiplies keep their elements: within 32 of them, the 16 pairs are a transposed 4×4 matrix, pair 4a + b in
// place 4b + a. Then k16 steps of a swizzled operand meet the codes of packed weights (lserve/weights.cuh) as a lane has them. Its own inverse.
#pragma once

#include <lserve/types.cuh>

namespace lserve {

/// Where the pair of elements `pair`, counted from the row's first, lies in the row.
template <typename T> __device__ __forceinline__ T transposed_pair(T pair) { return (pair & ~T(15)) | (pair & 3) << 2 | (pair >> 2 & 3); }

/// Writes elements 4·quad … 4·quad + 3 of a row.
__device__ __forceinline__ void store_quad(f16* row, int quad, u32 first, u32 second, bool transposed)
{
    if (!transposed) {
        reinterpret_cast<vec2*>(row)[quad] = {first, second};
        return;
    }
    reinterpret_cast<u32*>(row)[transposed_pair(2 * quad)] = first;
    reinterpret_cast<u32*>(row)[transposed_pair(2 * quad + 1)] = second;
}

}  // namespace lserve
