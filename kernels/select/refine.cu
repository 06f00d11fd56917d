// Second stage of `two-stage`: the attention each candidate page would get by the high bits of its key codes, then the best pages, in the block
// that finishes a row and head last. Every step, after the append.
//
// Shapes     queries [R, H, D] float32; candidates and today's forced pages → list [S, retrieval heads, list_width]
// Grid       ((candidate_width + recent_pages) / 8, retrieval heads, R), 256 threads: a warp is a page
// Variants   -DHEAD_DIM -DKEY_BITS -DVALUE_BITS -DGROUP -DSKETCH_BITS (2 or 4; 16 with KEY_BITS 16)
// Shared     dynamic: 4 B per page of the pool
// Bytes      64 · (D · SKETCH_BITS / 8 + 4) a page
// Reference  lserve.py `refine`, `sketch`, `choose`; test tests/Kernels/Attention
#include <lserve/async.cuh>
#include <lserve/reduce.cuh>

#include "../attention/keys.cuh"
#include "../attention/visible.cuh"
#include "renewal.cuh"
#include "top_pages.cuh"

using namespace lserve;

using Page = KvPage<HEAD_DIM, KEY_BITS, VALUE_BITS>;
using Keys = KeyTile<HEAD_DIM, KEY_BITS, VALUE_BITS, GROUP, SKETCH_BITS>;
using Query = Keys::Query;
constexpr int warps = 8, threads = 32 * warps;

struct Shared {
    Query::Shared query;
    float reduction[warps];
    int scratch[warps];
};

/// Candidates in ascending order, then the recent pages that opened since they were chosen.
struct Pool {
    const int* candidates;
    int count, first_new, size, pages;

    __device__ __forceinline__ Pool(const SelectParams& p, int head_state, int position)
    {
        candidates = p.candidates + u64(head_state) * p.candidate_width;
        count = p.candidate_count[head_state];
        pages = position / page_tokens + 1;
        first_new = max(count ? candidates[count - 1] + 1 : 0, pages - p.recent_pages);
        size = count + max(0, pages - first_new);
    }

    __device__ __forceinline__ int page(int i) const { return i < count ? candidates[i] : first_new + i - count; }
};

/// Softmax over a page's visible tokens, for the lane's two query heads: the largest base-2 score and the sum relative to it.
__device__ __forceinline__ void weigh_page(float (&most)[2], float (&sum)[2], const Keys (&keys)[2], const Query& query, const Shared& shared, int first, int position, int lane)
{
    float score[2][2][4];
    for (int r = 0; r < 2; r++) most[r] = negative_infinity;
#pragma unroll
    for (int half = 0; half < 2; half++) {
        keys[half].scores(score[half], query, shared.query, lane);
#pragma unroll
        for (int m = 0; m < 2; m++)
#pragma unroll
            for (int r = 0; r < 4; r++) {
                if (first + half * tile_tokens + lane / 4 * 4 + 2 * m + r / 2 > position) score[half][m][r] = negative_infinity;
                most[r % 2] = fmaxf(most[r % 2], score[half][m][r]);
            }
    }
    for (int r = 0; r < 2; r++) {
        for (int step = 4; step < 32; step *= 2) most[r] = fmaxf(most[r], __shfl_xor_sync(0xffffffff, most[r], step));
        sum[r] = 0;
#pragma unroll
        for (int i = 0; i < 8; i++) sum[r] += exp2_fast(score[i / 4][i / 2 % 2][i % 2 * 2 + r] - most[r]);
        for (int step = 4; step < 32; step *= 2) sum[r] += __shfl_xor_sync(0xffffffff, sum[r], step);
    }
}

extern "C" __global__ void __launch_bounds__(threads) select_refine(const SelectParams p)
{
    extern __shared__ u32 page_keys[];
    __shared__ Shared shared;
    const KvLayer& kv = p.kv;
    const int slot = blockIdx.y, row = blockIdx.z, lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    wait_for_previous_kernel();
    let_next_kernel_start();

    const int position = kv.position[row], sequence = kv.sequence[row];
    const int head_state = sequence * kv.retrieval_heads + slot, head_row = row * kv.retrieval_heads + slot;
    const Pool pool(p, head_state, position);
    int* list = p.list + u64(head_state) * p.list_width;
    if (pool.size <= p.list_width) {
        if (blockIdx.x > 0) return;
        for (int i = threadIdx.x; i < pool.size; i += threads) list[i] = pool.page(i);
        if (threadIdx.x == 0) p.list_count[head_state] = pool.size;
        return;
    }
    const int blocks = ceil_div(pool.size, warps);
    if (int(blockIdx.x) >= blocks) return;

    const int mine = blockIdx.x * warps + warp, page = mine < pool.size ? pool.page(mine) : 0;
    Keys keys[2];
    if (mine < pool.size) {
        const u8* bytes = kv.retrieval + u64(kv.retrieval_table[u64(sequence) * kv.retrieval_width + page]) * kv.retrieval_stride + u64(slot) * Page::retrieval_bytes;
        for (int half = 0; half < 2; half++) keys[half].load(bytes, half, lane);
    }
    Query::prepare(shared.query, p.queries + u64(row) * p.query_stride + kv.heads[slot] * GROUP * HEAD_DIM, warps);
    __syncthreads();
    float2* weights = reinterpret_cast<float2*>(p.scores) + u64(head_row) * (p.candidate_width + p.recent_pages) * GROUP;
    if (mine < pool.size) {
        Query query;
        query.load(shared.query, lane);
        float most[2], sum[2];
        weigh_page(most, sum, keys, query, shared, page * page_tokens, position, lane);
        const int head = first_head<GROUP>(lane);
        for (int r = 0; r < 2; r++)
            if (lane < 4 && head + r < GROUP && !(Query::in_two_parts && lane & 2)) weights[mine * GROUP + head + r] = {most[r], sum[r]};
    }
    if (!arrive_last(&p.arrived[head_row], blocks)) return;

    const float* all = reinterpret_cast<const float*>(weights);
    float most[GROUP], total[GROUP];
#pragma unroll
    for (int h = 0; h < GROUP; h++) {
        float m = negative_infinity, s = 0;
        for (int i = threadIdx.x; i < pool.size; i += threads) m = fmaxf(m, load_shared_result(all + (i * GROUP + h) * 2));
        __syncthreads();
        most[h] = block_max<threads>(m, shared.reduction);
        for (int i = threadIdx.x; i < pool.size; i += threads)
            s += load_shared_result(all + (i * GROUP + h) * 2 + 1) * exp2_fast(load_shared_result(all + (i * GROUP + h) * 2) - most[h]);
        __syncthreads();
        total[h] = block_sum<threads>(s, shared.reduction);
    }
    for (int i = threadIdx.x; i < pool.size; i += threads) {
        float share = 0;
#pragma unroll
        for (int h = 0; h < GROUP; h++)
            share += load_shared_result(all + (i * GROUP + h) * 2 + 1) * exp2_fast(load_shared_result(all + (i * GROUP + h) * 2) - most[h]) / total[h];
        page_keys[i] = is_forced(p, pool.page(i), pool.pages) ? forced_page : page_key(share);
    }
    __syncthreads();
    const int chosen = choose_pages<threads>(page_keys, pool.size, p.list_width, shared.scratch, [&](int place, int i) { list[place] = pool.page(i); });
    if (threadIdx.x == 0) p.list_count[head_state] = chosen;
}
