// y[r, i] = silu(gate[r, i]) · up[r, i], where a row of gateUp is [gate, up].
//
// Shapes     gateUp [R, 2F] float32, y [R, F] float16
// Grid       ceil(F / 1024) × R blocks of 256 threads, four elements a thread
// Bytes      10·F a row
// Reference  Cpu/Reference SiluMul; test tests/Kernels/Cuda/PointwiseTests
#include <lserve/async.cuh>
#include <lserve/operand_order.cuh>
#include <lserve/params.h>

using namespace lserve;

__device__ __forceinline__ float silu_mul(float gate, float up) { return gate / (1.0f + expf(-gate)) * up; }

extern "C" __global__ void __launch_bounds__(256) silu_mul_rows(const SiluMulParams p)
{
    wait_for_previous_kernel();
    let_next_kernel_start();
    const int i = (blockIdx.x * 256 + threadIdx.x) * 4;
    if (i >= p.columns) return;
    const float* row = p.gate_up + static_cast<u64>(blockIdx.y) * 2 * p.columns;
    const float4 gate = *reinterpret_cast<const float4*>(row + i), up = *reinterpret_cast<const float4*>(row + p.columns + i);
    store_quad(p.y + static_cast<u64>(blockIdx.y) * p.columns, i / 4, pack_f16x2(silu_mul(gate.x, up.x), silu_mul(gate.y, up.y)),
               pack_f16x2(silu_mul(gate.z, up.z), silu_mul(gate.w, up.w)), static_cast<int>(blockIdx.y) >= static_cast<int>(gridDim.y) - p.transposed);
}
