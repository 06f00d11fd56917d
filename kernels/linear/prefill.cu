// y = x · wᵀ (+ bias), or y += …, for the many rows of prompts, by the tensor cores' warpgroup products straight from packed weights.
//
// Shapes     w packed [N, K] (lserve/weights.cuh), x [R, K] float16, transposed (lserve/operand_order.cuh), y [R, N] float32
// Grid       a block of 384 threads a multiprocessor; it takes tiles of 128 outputs × ROWS rows in turn, those of the same outputs first
// Variants   -DFORMAT, -DROWS=128 or, where codes have no scale of their own, 256; -DSTAGES
// Shared     a ring of steps of 64 or 128 inputs: x by the copy engine's tensors (128-byte swizzle), packed weights by bulk copies
// Bytes      weights R / ROWS times, x N / 128 times, both mostly from L2
// How        two warpgroups of 64 outputs take codes from shared memory into registers as A, where they are exact binary16; x is B. One warp asks for
//            what comes next. One warpgroup unpacks and adds while the other's products run; sums over a scaled unit are added in float32
// Exactness  a row's sum runs over the inputs in order: neither R nor ROWS nor its place in the block change a bit
// Reference  float64 product; test tests/Kernels/Cuda/LinearTests
#include <lserve/async.cuh>
#include <lserve/params.h>
#include <lserve/weights.cuh>
#include <lserve/wgmma.cuh>

using namespace lserve;

using Weights = WeightFormat<FORMAT>;

constexpr int warpgroup = 128, threads = 3 * warpgroup, block_tiles = 8, consumer_warps = 8;
constexpr int consumer_registers = 240, producer_registers = 24;
constexpr int chunk_columns = 64, step_columns = Weights::columns > chunk_columns ? Weights::columns : chunk_columns;
constexpr int step_units = step_columns / Weights::columns, unit_blocks = Weights::columns / block_columns;
constexpr int tile_bytes = step_units * Weights::bytes, weight_bytes = block_tiles * tile_bytes;
constexpr int chunk_bytes = ROWS * chunk_columns * 2, x_bytes = step_columns / chunk_columns * chunk_bytes;
constexpr int sums = ROWS / 2;  // of a thread

/// Steps on their way; everyone walks the same sequence of slots.
struct Ring {
    u32 full, empty, x;  // shared addresses: barriers [STAGES], [STAGES]; slots of x
    u32 weights_address;
    const u8* weights;
    u32 slot, parity;

    __device__ __forceinline__ void advance()
    {
        if (++slot < STAGES) return;
        slot = 0;
        parity ^= 1;
    }
    __device__ __forceinline__ u32 previous() const { return slot == 0 ? STAGES - 1 : slot - 1; }
    __device__ __forceinline__ void release(u32 which) const
    {
        if (lane_id() == 0) barrier_arrive(empty + 8 * which);
    }
};

/// The block's tiles: act(first tile of 16 outputs, first row).
template <typename Do> __device__ __forceinline__ void for_tiles(const LinearParams& p, Do act)
{
    const int row_blocks = ceil_div(p.rows, ROWS), count = row_blocks * ceil_div(p.outputs, block_tiles * tile_rows);
    for (int i = blockIdx.x; i < count; i += gridDim.x) act(i / row_blocks * block_tiles, i % row_blocks * ROWS);
}

__device__ __forceinline__ void produce(const LinearPrefillParams& params, Ring ring)
{
    const LinearParams& p = params.product;
    const int tiles = ceil_div(p.outputs, tile_rows), units = p.columns / Weights::columns, steps = ceil_div(p.columns, step_columns);
    for_tiles(p, [&](int first_tile, int first_row) {
        const int own_tiles = min(block_tiles, tiles - first_tile);
        for (int step = 0; step < steps; step++, ring.advance()) {
            const u32 full = ring.full + 8 * ring.slot, bytes = min(step_units, units - step * step_units) * Weights::bytes;
            barrier_wait(ring.empty + 8 * ring.slot, ring.parity ^ 1);
            barrier_expect(full, x_bytes + own_tiles * bytes);
#pragma unroll
            for (int c = 0; c < step_columns / chunk_columns; c++)
                copy_tensor(ring.x + ring.slot * x_bytes + c * chunk_bytes, &params.x_map, step * step_columns + c * chunk_columns, first_row, full);
            for (int t = 0; t < own_tiles; t++)
                copy_bulk(ring.weights_address + ring.slot * weight_bytes + t * tile_bytes,
                          p.weight + (u64(first_tile + t) * units + step * step_units) * Weights::bytes, bytes, full);
        }
    });
}

/// Codes of some blocks of 32 inputs, as A's fragments: rows g and g + 8 of the warp's tile.
template <int Blocks> struct Codes {
    vec4 lower[Blocks], upper[Blocks];

    /// acc (+)= codes · x, where `x` describes the first block's columns of a slot.
    template <int N> __device__ __forceinline__ void multiply(float (&acc)[N], u32 x, bool accumulate) const
    {
#pragma unroll
        for (int j = 0; j < 2 * Blocks; j++) {
            const vec4 &a = lower[j / 2], &b = upper[j / 2];
            const u64 columns = descriptor(x + (j / 4 * chunk_bytes >> 4) + j % 4 * 2);
            if (j % 2 == 0) wgmma_f16(acc, a.x, b.x, a.y, b.y, columns, accumulate || j > 0);
            else wgmma_f16(acc, a.z, b.z, a.w, b.w, columns, true);
        }
    }
};

/// Sums of a tile whose codes have no scales. The next step's codes are asked for ahead of this step's products, into other registers.
template <typename Weights> __device__ __forceinline__ void sum_tile(float (&acc)[sums], const LinearParams& p, Ring& ring, int warp)
{
    const int units = p.columns / Weights::columns, steps = ceil_div(p.columns, step_columns);
#pragma unroll
    for (int i = 0; i < sums; i++) acc[i] = 0;
    using StepCodes = Codes<step_units * unit_blocks>;
    const auto read = [&](StepCodes& codes, int step) {
        barrier_wait(ring.full + 8 * ring.slot, ring.parity);
        const u8* tile = ring.weights + ring.slot * weight_bytes + warp * tile_bytes;
#pragma unroll
        for (int u = 0; u < step_units; u++)
#pragma unroll
            for (int b = 0; b < unit_blocks; b++) {
                vec4 &lower = codes.lower[u * unit_blocks + b], &upper = codes.upper[u * unit_blocks + b];
                Weights::decode(tile + u * Weights::bytes, b, lower, upper);
                if (u > 0 && step * step_units + u >= units) lower = upper = vec4{0, 0, 0, 0};  // nothing was brought
            }
    };
    const auto take = [&](const StepCodes& codes, StepCodes& next, int step) {
        const u32 here = ring.slot;
        ring.advance();
        if (step + 1 < steps) read(next, step + 1);
        wgmma_fence();
        codes.multiply(acc, describe_swizzled(ring.x + here * x_bytes), true);
        wgmma_commit();
        wgmma_wait<0>();
        ring.release(here);
    };
    StepCodes even, odd;
    read(even, 0);
    for (int step = 0; step < steps; step += 2) {
        take(even, odd, step);
        if (step + 1 < steps) take(odd, even, step + 1);
    }
}

/// Sums of a tile whose codes have scales: of a unit apart, then added.
template <typename Weights> __device__ __forceinline__ void sum_scaled_tile(float (&acc)[sums], const LinearParams& p, Ring& ring, int warp)
{
    const int units = p.columns / Weights::columns, steps = ceil_div(p.columns, step_columns);
#pragma unroll
    for (int i = 0; i < sums; i++) acc[i] = 0;
    for (int step = 0; step < steps; step++) {
        barrier_wait(ring.full + 8 * ring.slot, ring.parity);
        const u8* tile = ring.weights + ring.slot * weight_bytes + warp * tile_bytes;
        const u32 x = describe_swizzled(ring.x + ring.slot * x_bytes);
#pragma unroll
        for (int u = 0; u < step_units; u++) {
            if (step * step_units + u >= units) break;
            const u8* unit = tile + u * Weights::bytes;
            Codes<unit_blocks> codes;
#pragma unroll
            for (int b = 0; b < unit_blocks; b++) Weights::decode(unit, b, codes.lower[b], codes.upper[b]);
            Codes<1> shift;
            if constexpr (Weights::shifted) {
                const u32 shifts = Weights::shifts(unit), low = __byte_perm(shifts, 0, 0x1010), high = __byte_perm(shifts, 0, 0x3232);
                shift = {{{low, low, low, low}}, {{high, high, high, high}}};
            }
            float part[sums];
            wgmma_fence();
            codes.multiply(part, x + u * unit_blocks * 4, false);
            if constexpr (Weights::shifted) shift.multiply(acc, x + u * unit_blocks * 4, true);
            wgmma_commit();
            const u32 scales = Weights::scales(unit);
            const float low = low_f32(scales), high = high_f32(scales);
            wgmma_wait<0>();
#pragma unroll
            for (int i = 0; i < sums; i++) acc[i] = __fmaf_rn(i % 4 < 2 ? low : high, part[i], acc[i]);
        }
        ring.release(ring.slot);
        ring.advance();
    }
}

/// acc[4j + c + 2h]: row 8j + 2q + c, output g + 8h of the warp's tile.
__device__ __forceinline__ void write_tile(const LinearParams& p, const float (&acc)[sums], int tile, int first_row)
{
    constexpr int batch = 16;
    const int output = tile * tile_rows + lane_id() / 4, row = first_row + lane_id() % 4 * 2;
    float scale[2], bias[2];
#pragma unroll
    for (int h = 0; h < 2; h++) {
        const bool valid = output + 8 * h < p.outputs;
        scale[h] = valid && p.row_scale ? p.row_scale[output + 8 * h] : 1.0f;
        bias[h] = valid && p.bias ? p.bias[output + 8 * h] : 0.0f;
    }
    const auto place = [&](int i) { return p.y + u64(row + i / 4 * 8 + i % 2) * p.y_stride + output + i % 4 / 2 * 8; };
    const auto valid = [&](int i) { return row + i / 4 * 8 + i % 2 < p.rows && output + i % 4 / 2 * 8 < p.outputs; };
#pragma unroll
    for (int first = 0; first < sums; first += batch) {
        float before[batch] = {};
        if (p.add)
#pragma unroll
            for (int i = 0; i < batch; i++)
                if (valid(first + i)) before[i] = *place(first + i);
#pragma unroll
        for (int i = 0; i < batch; i++) {
            const int h = i % 4 / 2;
            if (valid(first + i)) *place(first + i) = before[i] + (acc[first + i] * scale[h] + bias[h]);
        }
    }
}

__device__ __forceinline__ void consume(const LinearParams& p, Ring ring)
{
    const int warp = warp_id();
    for_tiles(p, [&](int first_tile, int first_row) {
        float acc[sums];
        if constexpr (Weights::scaled) sum_scaled_tile<Weights>(acc, p, ring, warp);
        else sum_tile<Weights>(acc, p, ring, warp);
        write_tile(p, acc, first_tile + warp, first_row);
    });
}

extern "C" __global__ void __launch_bounds__(threads, 1) linear_prefill(const __grid_constant__ LinearPrefillParams p)
{
    extern __shared__ u8 unaligned[];
    __shared__ u64 barriers[2][STAGES];  // full, empty
    u8* shared = unaligned + (1024 - shared_address(unaligned) % 1024) % 1024;
    const Ring ring{shared_address(barriers[0]), shared_address(barriers[1]), shared_address(shared), shared_address(shared) + STAGES * x_bytes, shared + STAGES * x_bytes, 0, 0};
    if (threadIdx.x < STAGES) {
        barrier_init(ring.full + 8 * threadIdx.x, 1);
        barrier_init(ring.empty + 8 * threadIdx.x, consumer_warps);
        barrier_init_fence();
    }
    __syncthreads();
    wait_for_previous_kernel();
    let_next_kernel_start();
    if (threadIdx.x < 2 * warpgroup) {
        take_registers<consumer_registers>();
        consume(p.product, ring);
    } else {
        leave_registers<producer_registers>();
        if (threadIdx.x == 2 * warpgroup) produce(p, ring);
    }
}
