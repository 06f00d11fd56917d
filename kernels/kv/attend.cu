// Causal attention over dense 16-bit pages, a row at a time: the plain path, for prompts and decoding alike.
//
// Shapes     queries [R, H, D] float32 (first in each row of qkv), output [R, H · D] float16
// Grid       R × H blocks of 256 threads; a warp takes every eighth page with an online softmax, then the warps are merged in order
// Shared     (9·D + 16) floats
// Bytes      4·D per token and query head of what the row sees, from L2 within a group
// Exactness  which warp sums which page follows from the position alone
// Reference  Cpu/Reference Attend; test tests/Kernels/Cuda/KvTests
#include <lserve/async.cuh>
#include <lserve/dense_pages.cuh>
#include <lserve/reduce.cuh>

using namespace lserve;

constexpr int warps = 8, max_dim = 256, pairs_per_lane = max_dim / (2 * warp_size);

__device__ __forceinline__ float no_score() { return __int_as_float(0xff800000); }  // -infinity

struct Shared {
    float query[max_dim];
    float values[warps][max_dim];
    float most[warps], total[warps];
};

__device__ __forceinline__ float dot(const f16* key, const float* query, int head_dim)
{
    float sum = 0;
    for (int d = 0; d < head_dim; d += 8) {
        const vec4 k = *reinterpret_cast<const vec4*>(key + d);
        sum += low_f32(k.x) * query[d] + high_f32(k.x) * query[d + 1] + low_f32(k.y) * query[d + 2] + high_f32(k.y) * query[d + 3] +
               low_f32(k.z) * query[d + 4] + high_f32(k.z) * query[d + 5] + low_f32(k.w) * query[d + 6] + high_f32(k.w) * query[d + 7];
    }
    return sum;
}

/// What a warp has seen so far: greatest score, sum of weights, weighted sum of values (two channels per place).
struct Running {
    float most = no_score(), total = 0, sum[pairs_per_lane][2] = {};

    __device__ void take(const f16* keys, int tokens, const float* query, int head_dim)
    {
        const int t0 = lane_id(), t1 = t0 + warp_size;
        const float s0 = t0 < tokens ? dot(keys + t0 * head_dim, query, head_dim) : no_score();
        const float s1 = t1 < tokens ? dot(keys + t1 * head_dim, query, head_dim) : no_score();
        const float now = fmaxf(most, warp_max(fmaxf(s0, s1))), shrink = expf(most - now), w0 = expf(s0 - now), w1 = expf(s1 - now);
        total = total * shrink + warp_sum(w0 + w1);
        most = now;
#pragma unroll
        for (int j = 0; j < pairs_per_lane; j++) sum[j][0] *= shrink, sum[j][1] *= shrink;
        const u32* values = reinterpret_cast<const u32*>(keys + page_tokens * head_dim);
        for (int t = 0; t < tokens; t++) {
            const float weight = __shfl_sync(0xffffffff, t < warp_size ? w0 : w1, t % warp_size);
#pragma unroll
            for (int j = 0; j < pairs_per_lane; j++) {
                const int pair = lane_id() + j * warp_size;
                if (2 * pair >= head_dim) continue;
                const u32 v = values[t * head_dim / 2 + pair];
                sum[j][0] += weight * low_f32(v);
                sum[j][1] += weight * high_f32(v);
            }
        }
    }
};

extern "C" __global__ void __launch_bounds__(warps * warp_size) attend(const AttendParams p)
{
    __shared__ Shared shared;
    wait_for_previous_kernel();
    let_next_kernel_start();
    const int row = blockIdx.x, head = blockIdx.y, kv_head = head / (p.query_heads / p.kv.kv_heads);
    const int line = p.kv.lines[row], length = p.kv.positions[row] + 1;
    const float* query = p.qkv + (static_cast<u64>(row) * (p.query_heads + 2 * p.kv.kv_heads) + head) * p.head_dim;
    const float scale = 1.0f / sqrtf(static_cast<float>(p.head_dim));
    for (int i = threadIdx.x; i < p.head_dim; i += blockDim.x) shared.query[i] = query[i] * scale;
    __syncthreads();

    Running running;
    for (int start = warp_id() * page_tokens; start < length; start += warps * page_tokens)
        running.take(key_at(p.kv, line, start, kv_head, p.head_dim), min(page_tokens, length - start), shared.query, p.head_dim);
#pragma unroll
    for (int j = 0; j < pairs_per_lane; j++) {
        const int channel = 2 * (lane_id() + j * warp_size);
        if (channel < p.head_dim) {
            shared.values[warp_id()][channel] = running.sum[j][0];
            shared.values[warp_id()][channel + 1] = running.sum[j][1];
        }
    }
    if (lane_id() == 0) shared.most[warp_id()] = running.most, shared.total[warp_id()] = running.total;
    __syncthreads();

    float most = shared.most[0];
    for (int w = 1; w < warps; w++) most = fmaxf(most, shared.most[w]);
    f16* output = p.output + (static_cast<u64>(row) * p.query_heads + head) * p.head_dim;
    for (int i = threadIdx.x; i < p.head_dim; i += blockDim.x) {
        float sum = 0, total = 0;
        for (int w = 0; w < warps; w++) {
            const float weight = expf(shared.most[w] - most);
            total += weight * shared.total[w];
            if (shared.total[w] > 0) sum += weight * shared.values[w][i];
        }
        output[i] = to_f16(sum / total);
    }
}
