// x[r] = table[token of row r], from a packed matrix.
//
// Shapes     table packed [V, C] (lserve/weights.cuh), tokens [R], x [R, C] float32
// Grid       R blocks of 256 threads: a block is a row
// Bytes      a row of the table and 4·C per row
// Reference  Cpu/Reference Embed; test tests/Kernels/Cuda/PointwiseTests
#include <lserve/async.cuh>
#include <lserve/params.h>
#include <lserve/weights.cuh>

using namespace lserve;

using Weights = WeightFormat<FORMAT>;

extern "C" __global__ void __launch_bounds__(256) embed(const EmbedParams p)
{
    wait_for_previous_kernel();
    let_next_kernel_start();
    const int token = p.tokens[blockIdx.x];
    float* x = p.x + static_cast<u64>(blockIdx.x) * p.columns;
    const bool known = token >= 0 && token < p.vocabulary;
    const u8* tile = p.table + static_cast<u64>(known ? token / tile_rows : 0) * (p.columns / Weights::columns) * Weights::bytes;
    const float scale = known && p.row_scale ? p.row_scale[token] : 1.0f;
    for (int k = threadIdx.x; k < p.columns; k += blockDim.x)
        x[k] = known ? Weights::element(tile + k / Weights::columns * Weights::bytes, token % tile_rows, k % Weights::columns) * scale : 0.0f;
}
