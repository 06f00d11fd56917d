// y = x · wᵀ (+ bias), or y += …, for the many rows of prompts, on tensor cores.
//
// Shapes     w packed [N, K] (lserve/weights.cuh), x [R, K] float16, y [R, N] float32
// Grid       blocks of 128 outputs × 128 rows; 8 warps of 32 outputs × 64 rows
// Shared     `stages` slots of STEP inputs: 8 tiles of packed weights and 128 rows of x, filled by 16-byte asynchronous copies
// Bytes      weights R / 128 times, x N / 128 times, both mostly from L2
// Exactness  a row's sum runs over the inputs in order: neither R nor its place in the block change a bit
// Reference  float64 product; test tests/Kernels/Cuda/LinearTests
#include <lserve/async.cuh>
#include <lserve/params.h>
#include <lserve/weights.cuh>

using namespace lserve;

using Weights = WeightFormat<FORMAT>;

constexpr int threads = 256, block_tiles = 8, block_rows = 128, warp_tiles = 2, warp_row_tiles = 8;
constexpr int step_columns = Weights::columns > 64 ? Weights::columns : 64;
constexpr int step_units = step_columns / Weights::columns, blocks_per_unit = Weights::columns / block_columns;
constexpr int weight_bytes = step_units * Weights::bytes, x_bytes = block_rows * step_columns * 2;
constexpr int slot_bytes = block_tiles * weight_bytes + x_bytes;

/// Asks for one step of inputs: units of the block's tiles, then x as [block of 32 inputs][row][32].
__device__ __forceinline__ void ask(const LinearParams& p, int step, u32 slot)
{
    const int tiles = ceil_div(p.outputs, tile_rows), units = p.columns / Weights::columns;
    const int step_limit = min(step_units, units - step * step_units);
    for (int i = threadIdx.x * 16; i < block_tiles * weight_bytes; i += threads * 16) {
        const int tile = blockIdx.x * block_tiles + i / weight_bytes, offset = i % weight_bytes;
        const bool valid = tile < tiles && offset < step_limit * Weights::bytes;
        const u8* from = valid ? p.weight + (static_cast<u64>(tile) * units + step * step_units) * Weights::bytes + offset : p.weight;
        copy_async_16(slot + i, from, valid);
    }
    const u32 x_at = slot + block_tiles * weight_bytes;
    for (int i = threadIdx.x; i < x_bytes / 16; i += threads) {
        const int part = i % 4, row = i / 4 % block_rows, block = i / (4 * block_rows);
        const int r = blockIdx.y * block_rows + row, column = step * step_columns + block * block_columns + part * 8;
        const bool valid = r < p.rows && column < p.columns;
        copy_async_16(x_at + i * 16, valid ? p.x + static_cast<u64>(r) * p.columns + column : p.x, valid);
    }
}

__device__ __forceinline__ void store(const LinearParams& p, int output, int row, float value)
{
    if (row >= p.rows || output >= p.outputs) return;
    if (p.row_scale) value *= p.row_scale[output];
    if (p.bias) value += p.bias[output];
    float* y = p.y + static_cast<u64>(row) * p.y_stride + output;
    *y = p.add ? *y + value : value;
}

extern "C" __global__ void __launch_bounds__(threads, 1) linear_prefill(const LinearParams p)
{
    extern __shared__ __align__(128) u8 shared[];
    const int warp_output = warp_id() % 4, warp_row = warp_id() / 4, g = lane_id() / 4, q = lane_id() % 4;
    const int steps = ceil_div(p.columns, step_columns);
    float acc[warp_tiles][warp_row_tiles][4] = {};
    wait_for_previous_kernel();
    let_next_kernel_start();
    for (int s = 0; s < STAGES - 1; s++) {
        if (s < steps) ask(p, s, shared_address(shared) + s * slot_bytes);
        copy_async_commit();
    }
    for (int step = 0; step < steps; step++) {
        copy_async_wait<STAGES - 2>();
        __syncthreads();
        const int ahead = step + STAGES - 1;
        if (ahead < steps) ask(p, ahead, shared_address(shared) + ahead % STAGES * slot_bytes);
        copy_async_commit();
        const u8* slot = shared + step % STAGES * slot_bytes;
        const u8* x_at = slot + block_tiles * weight_bytes + (warp_row * 64 + g) * 64 + q * 16;
#pragma unroll
        for (int u = 0; u < step_units; u++) {
            if (step * step_columns + u * Weights::columns >= p.columns) break;
            vec4 x[blocks_per_unit][warp_row_tiles];
#pragma unroll
            for (int b = 0; b < blocks_per_unit; b++)
#pragma unroll
                for (int t = 0; t < warp_row_tiles; t++)
                    x[b][t] = *reinterpret_cast<const vec4*>(x_at + (u * blocks_per_unit + b) * block_rows * 64 + t * 8 * 64);
#pragma unroll
            for (int m = 0; m < warp_tiles; m++)
                Weights::multiply<warp_row_tiles>(slot + (warp_output * warp_tiles + m) * weight_bytes + u * Weights::bytes, x, acc[m]);
        }
    }
#pragma unroll
    for (int m = 0; m < warp_tiles; m++)
#pragma unroll
        for (int t = 0; t < warp_row_tiles; t++) {
            const int output = (blockIdx.x * block_tiles + warp_output * warp_tiles + m) * tile_rows + g;
            const int row = blockIdx.y * block_rows + warp_row * 64 + t * 8 + 2 * q;
            store(p, output, row, acc[m][t][0]);
            store(p, output, row + 1, acc[m][t][1]);
            store(p, output + 8, row, acc[m][t][2]);
            store(p, output + 8, row + 1, acc[m][t][3]);
        }
}
