// y = x · wᵀ (+ bias), or y += …, for up to 8 · TILES rows: products of few rows, which cost what reading the weights costs.
//
// Shapes     w packed [N, K] (lserve/weights.cuh), x [R, K] float16, y [R, N] float32
// Grid       as many blocks as fit the device, at most one per tile of 16 outputs; 8 warps share a tile's inputs, each a slice of its units
// Shared     per warp a ring of `stages` slots of about 2 KB, filled by bulk copies; two buffers for the sum over the warps
// Bytes      the packed weights, once; x from L2 per tile
// Exactness  a row's sums run over its own slice, then over the warps in order: neither R nor TILES nor the grid change a bit
// Reference  float64 product; test tests/Kernels/Cuda/LinearTests
#include <lserve/async.cuh>
#include <lserve/params.h>
#include <lserve/weights.cuh>

using namespace lserve;

using Weights = WeightFormat<FORMAT>;

constexpr int warps = 8, threads = warps * warp_size;
constexpr int blocks_per_unit = Weights::columns / block_columns;
constexpr int slot_units = Weights::bytes >= 1024 ? 2 : Weights::bytes >= 512 ? 4 : 8;  // 2 KB and a little more
constexpr int slot_bytes = slot_units * Weights::bytes;

// Units whose activations are fetched together, ahead of the weights' arrival: as many as registers allow.
constexpr int fetch_limit = 8 / (TILES * blocks_per_unit) > 0 ? 8 / (TILES * blocks_per_unit) : 1;
constexpr int fetch_units = fetch_limit < slot_units ? fetch_limit : slot_units;

/// A warp's slice of every tile of its block, streamed through its ring.
struct WeightStream {
    const u8* next;      // of the chunk to be asked for
    u64 tile_stride;     // bytes from the slice's end to its begin in the block's next tile
    int tiles_left, units, units_left;
    u32 slots, barriers;
    int stages, asked, taken;

    __device__ void ask()
    {
        if (tiles_left == 0) return;
        const int count = units_left < slot_units ? units_left : slot_units;
        const u32 bytes = count * Weights::bytes, barrier = barriers + 8 * asked;
        if (lane_id() == 0) {
            barrier_expect(barrier, bytes);
            copy_bulk(slots + slot_bytes * asked, next, bytes, barrier);
        }
        asked = asked + 1 == stages ? 0 : asked + 1;
        next += bytes;
        units_left -= count;
        if (units_left == 0) {
            next += tile_stride;
            units_left = units;
            tiles_left--;
        }
    }
};

__device__ __forceinline__ void fetch_x(const LinearParams& p, int column, vec4 (&x)[blocks_per_unit][TILES])
{
    const int row = lane_id() / 4;
    const f16* from = p.x + column + 8 * (lane_id() % 4);
#pragma unroll
    for (int b = 0; b < blocks_per_unit; b++)
#pragma unroll
        for (int t = 0; t < TILES; t++) {
            const int r = row + 8 * t;
            x[b][t] = r < p.rows ? *reinterpret_cast<const vec4*>(from + static_cast<u64>(r) * p.columns + block_columns * b) : vec4{0, 0, 0, 0};
        }
}

/// Units u … u + Units − 1 of a slot whose first input is `column`, without a branch among them, so that their products overlap.
template <int Units> __device__ __forceinline__ void multiply_units(
    const LinearParams& p, const u8* slot, int u, int column, u32 barrier, u32 parity, float (&acc)[TILES][4])
{
    vec4 x[Units][blocks_per_unit][TILES];
#pragma unroll
    for (int i = 0; i < Units; i++) fetch_x(p, column + (u + i) * Weights::columns, x[i]);
    if (u == 0) barrier_wait(barrier, parity);
#pragma unroll
    for (int i = 0; i < Units; i++) Weights::multiply<TILES>(slot + (u + i) * Weights::bytes, x[i], acc);
}

/// Adds up the warps' sums of one tile and writes them.
__device__ __forceinline__ void finish_tile(const LinearParams& p, int tile, const float (&acc)[TILES][4], float* sums)
{
    const int g = lane_id() / 4, q = lane_id() % 4;
    float* own = sums + warp_id() * TILES * 8 * tile_rows;
#pragma unroll
    for (int t = 0; t < TILES; t++) {
        float* to = own + (8 * t + 2 * q) * tile_rows + g;
        to[0] = acc[t][0];
        to[tile_rows] = acc[t][1];
        to[8] = acc[t][2];
        to[tile_rows + 8] = acc[t][3];
    }
    __syncthreads();
    for (int i = threadIdx.x; i < TILES * 8 * tile_rows; i += threads) {
        const int row = i / tile_rows, output = tile * tile_rows + i % tile_rows;
        if (row >= p.rows || output >= p.outputs) continue;
        float sum = 0;
#pragma unroll
        for (int w = 0; w < warps; w++) sum += sums[w * TILES * 8 * tile_rows + i];
        if (p.row_scale) sum *= p.row_scale[output];
        if (p.bias) sum += p.bias[output];
        float* y = p.y + static_cast<u64>(row) * p.y_stride + output;
        *y = p.add ? *y + sum : sum;
    }
}

extern "C" __global__ void __launch_bounds__(threads, TILES <= 2 ? 2 : 1) linear_decode(const LinearParams p)
{
    extern __shared__ __align__(128) u8 shared[];
    const int tiles = ceil_div(p.outputs, tile_rows), units = p.columns / Weights::columns;
    const int first = units * warp_id() / warps, count = units * (warp_id() + 1) / warps - first;
    constexpr int sum_floats = warps * TILES * 8 * tile_rows;
    float* sums = reinterpret_cast<float*>(shared);
    const u32 ring = shared_address(shared) + 2 * sum_floats * sizeof(float) + warp_id() * p.stages * slot_bytes;
    const u8* ring_bytes = shared + 2 * sum_floats * sizeof(float) + warp_id() * p.stages * slot_bytes;
    const u32 barriers = shared_address(shared) + 2 * sum_floats * sizeof(float) + warps * p.stages * slot_bytes + warp_id() * p.stages * 8;

    if (lane_id() == 0) {
        for (int s = 0; s < p.stages; s++) barrier_init(barriers + 8 * s, 1);
        barrier_init_fence();
    }
    __syncwarp();
    const int own_tiles = static_cast<int>(blockIdx.x) < tiles ? (tiles - 1 - static_cast<int>(blockIdx.x)) / static_cast<int>(gridDim.x) + 1 : 0;
    WeightStream stream{p.weight + (static_cast<u64>(blockIdx.x) * units + first) * Weights::bytes,
                        (static_cast<u64>(gridDim.x) * units - count) * Weights::bytes, count > 0 ? own_tiles : 0, count, count, ring, barriers, p.stages, 0, 0};
    for (int s = 0; s < p.stages; s++) stream.ask();
    wait_for_previous_kernel();
    let_next_kernel_start();

    u32 parity = 0;
    int buffer = 0;
    for (int tile = blockIdx.x; tile < tiles; tile += gridDim.x, buffer ^= 1) {
        float acc[TILES][4] = {};
        for (int done = 0; done < count; done += slot_units) {
            const u8* slot = ring_bytes + stream.taken * slot_bytes;
            const u32 barrier = barriers + 8 * stream.taken;
            const int column = (first + done) * Weights::columns;
            if (done + slot_units <= count) {
#pragma unroll
                for (int u = 0; u < slot_units; u += fetch_units) multiply_units<fetch_units>(p, slot, u, column, barrier, parity, acc);
            } else {
                for (int u = 0; done + u < count; u++) multiply_units<1>(p, slot, u, column, barrier, parity, acc);
            }
            __syncwarp();
            stream.ask();
            if (++stream.taken == p.stages) {
                stream.taken = 0;
                parity ^= 1;
            }
        }
        finish_tile(p, tile, acc, sums + buffer * sum_floats);
    }
}
