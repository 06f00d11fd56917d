// RMSNorm: y[r] = x[r] / sqrt(mean(x[r]²) + epsilon) · gain.
//
// Shapes     x [R, C] float32 (the residual stream), gain [C] float32, y [R, C] float16
// Grid       R blocks of 256 threads: a block is a row
// Shared     32 B
// Bytes      6·C a row and 4·C gain, each once (the second pass over x meets L1)
// Reference  Cpu/Reference RmsNorm; test tests/Kernels/Cuda/PointwiseTests
#include <lserve/async.cuh>
#include <lserve/operand_order.cuh>
#include <lserve/params.h>
#include <lserve/reduce.cuh>

using namespace lserve;

constexpr int threads = 256;

extern "C" __global__ void __launch_bounds__(threads) rms_norm(const RmsNormParams p)
{
    __shared__ float scratch[threads / warp_size];
    wait_for_previous_kernel();
    let_next_kernel_start();
    const int row = blockIdx.x;
    const float4* x = reinterpret_cast<const float4*>(p.x + static_cast<u64>(p.rows ? p.rows[row] : row) * p.columns);
    const float4* gain = reinterpret_cast<const float4*>(p.gain);
    f16* y = p.y + static_cast<u64>(row) * p.columns;
    const bool transposed = row >= static_cast<int>(gridDim.x) - p.transposed;
    const int quads = p.columns / 4;

    float squares = 0;
    for (int i = threadIdx.x; i < quads; i += threads) {
        const float4 v = x[i];
        squares += v.x * v.x + v.y * v.y + v.z * v.z + v.w * v.w;
    }
    const float scale = 1.0f / sqrtf(block_sum<threads>(squares, scratch) / p.columns + p.epsilon);
    for (int i = threadIdx.x; i < quads; i += threads) {
        const float4 v = x[i], w = gain[i];
        store_quad(y, i, pack_f16x2(v.x * scale * w.x, v.y * scale * w.y), pack_f16x2(v.z * scale * w.z, v.w * scale * w.w), transposed);
    }
}
