// Second stage of `two-stage`: the attention each candidate page would get by the high bits of its key codes, then the best pages, in the block
// that finishes a row and head last. Every step, after the append.
//
// Shapes     queries [R, H, D] float32; candidates and today's forced pages → list [S, retrieval heads, list_width]
// Grid       (any number of blocks, retrieval heads, R), 256 threads: warps take pages in turn, so that the launcher may fill the device
// Variants   -DHEAD_DIM -DKEY_BITS -DVALUE_BITS -DGROUP -DSKETCH_BITS (2 or 4; 16 with KEY_BITS 16)
// Shared     dynamic: 8 B per page of the pool, which has at most 1,024
// Bytes      64 · (D · SKETCH_BITS / 8 + 4) a page
// Reference  lserve.py `refine`, `sketch`, `choose`; test tests/Kernels/Attention
#include <lserve/async.cuh>

#include <lserve/attention/keys.cuh>
#include <lserve/attention/visible.cuh>
#include <lserve/select/forced.cuh>
#include <lserve/select/top_pages.cuh>

using namespace lserve;

using Page = KvPage<HEAD_DIM, KEY_BITS, VALUE_BITS>;
using Keys = KeyTile<HEAD_DIM, KEY_BITS, VALUE_BITS, GROUP, SKETCH_BITS>;
using Query = Keys::Query;
constexpr int warps = 8, threads = 32 * warps;
constexpr int resident = SKETCH_BITS == 2 && GROUP <= 4 ? 3 : 1;  // blocks of a multiprocessor: as many as registers allow without spills

struct Shared {
    Query::Shared query;
    float most[warps][GROUP], sum[warps][GROUP];
    int scratch[2 + 2 * warps];
    int histogram[bins];
};

/// Candidates in ascending order, then the recent pages that opened since they were chosen.
struct Pool {
    const int* candidates;
    int count, first_new, size, pages;

    __device__ __forceinline__ Pool(const SelectParams& p, const int* kept, int kept_count, int position) : candidates(kept), count(kept_count)
    {
        pages = position / page_tokens + 1;
        first_new = max(count ? candidates[count - 1] + 1 : 0, pages - p.recent_pages);
        size = count + max(0, pages - first_new);
    }

    __device__ __forceinline__ int page(int i) const { return i < count ? candidates[i] : first_new + i - count; }
};

/// Softmax over a page's visible tokens, for the lane's two query heads: the largest base-2 score and the sum relative to it.
__device__ __forceinline__ void weigh_page(float (&most)[2], float (&sum)[2], const float (&score)[2][2][4])
{
    for (int r = 0; r < 2; r++) {
        most[r] = negative_infinity;
#pragma unroll
        for (int i = 0; i < 8; i++) most[r] = fmaxf(most[r], score[i / 4][i / 2 % 2][i % 2 * 2 + r]);
        for (int step = 4; step < 32; step *= 2) most[r] = fmaxf(most[r], __shfl_xor_sync(0xffffffff, most[r], step));
        sum[r] = 0;
#pragma unroll
        for (int i = 0; i < 8; i++) sum[r] += exp2_fast(score[i / 4][i / 2 % 2][i % 2 * 2 + r] - most[r]);
        for (int step = 4; step < 32; step *= 2) sum[r] += __shfl_xor_sync(0xffffffff, sum[r], step);
        if (fabsf(most[r]) < -negative_infinity && sum[r] < 2 * page_tokens) continue;
        most[r] = negative_infinity;  // a key that is no number: the page has no share
        sum[r] = 0;
    }
}

__device__ __forceinline__ void hide_later(float (&score)[2][4], int first, int position, int lane)
{
#pragma unroll
    for (int m = 0; m < 2; m++)
#pragma unroll
        for (int r = 0; r < 4; r++)
            if (first + lane / 4 * 4 + 2 * m + r / 2 > position) score[m][r] = negative_infinity;
}

/// Each page's share of every head's softmax over the pool, summed over heads, as keys; `weights` [pool][GROUP] (most, sum).
__device__ __forceinline__ void share_keys(u32* keys, int* pages, Shared& shared, const float* weights, const Pool& pool, const SelectParams& p)
{
    constexpr int mine = 4;  // pages of a thread
    float page_most[mine][GROUP], page_sum[mine][GROUP], most[GROUP], sum[GROUP];
    int page[mine];
#pragma unroll
    for (int k = 0; k < mine; k++) page[k] = int(threadIdx.x) + k * threads < pool.size ? pool.page(threadIdx.x + k * threads) : 0;
#pragma unroll
    for (int k = 0; k < mine; k++)
#pragma unroll
        for (int h = 0; h < GROUP; h++) {
            const int i = threadIdx.x + k * threads;
            page_most[k][h] = i < pool.size ? load_shared_result(weights + (i * GROUP + h) * 2) : negative_infinity;
            page_sum[k][h] = i < pool.size ? load_shared_result(weights + (i * GROUP + h) * 2 + 1) : 0;
        }
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
#pragma unroll
    for (int h = 0; h < GROUP; h++) {
        most[h] = negative_infinity;
#pragma unroll
        for (int k = 0; k < mine; k++) most[h] = fmaxf(most[h], page_most[k][h]);
        for (int step = 16; step > 0; step /= 2) most[h] = fmaxf(most[h], __shfl_xor_sync(0xffffffff, most[h], step));
        if (lane == 0) shared.most[warp][h] = most[h];
    }
    __syncthreads();
#pragma unroll
    for (int h = 0; h < GROUP; h++) {
        for (int w = 0; w < warps; w++) most[h] = fmaxf(most[h], shared.most[w][h]);
        sum[h] = 0;
#pragma unroll
        for (int k = 0; k < mine; k++) {
            page_sum[k][h] *= exp2_fast(page_most[k][h] - most[h]);
            sum[h] += page_sum[k][h];
        }
        for (int step = 16; step > 0; step /= 2) sum[h] += __shfl_xor_sync(0xffffffff, sum[h], step);
        if (lane == 0) shared.sum[warp][h] = sum[h];
    }
    __syncthreads();
#pragma unroll
    for (int h = 0; h < GROUP; h++) {
        sum[h] = 0;
        for (int w = 0; w < warps; w++) sum[h] += shared.sum[w][h];
        sum[h] = 1 / sum[h];
    }
#pragma unroll
    for (int k = 0; k < mine; k++) {
        const int i = threadIdx.x + k * threads;
        if (i >= pool.size) break;
        float share = 0;
#pragma unroll
        for (int h = 0; h < GROUP; h++) share += page_most[k][h] == negative_infinity ? negative_infinity : page_sum[k][h] * sum[h];
        keys[i] = is_forced(p, page[k], pool.pages) ? forced_page : page_key(share);
        pages[i] = page[k];
    }
    __syncthreads();
}

extern "C" __global__ void __launch_bounds__(threads, resident) select_refine(const SelectParams p)
{
    extern __shared__ u32 page_keys[];
    __shared__ Shared shared;
    const KvLayer& kv = p.kv;
    const int slot = blockIdx.y, row = blockIdx.z, lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    const int position = kv.position[row], sequence = kv.sequence[row], kv_head = kv.heads[slot];
    const int* table = kv.retrieval_table + u64(sequence) * kv.retrieval_width;
    const int head_state = sequence * kv.state_heads + slot, head_row = row * kv.retrieval_heads + slot;
    if (kv.mode[row] == dense_row) {
        wait_for_previous_kernel();
        return;
    }
    // Each step of the way to the codes is a trip to memory: none waits for what isn't needed to find it, nor, where the candidates are settled,
    // for the previous kernel, which writes to the last page alone.
    if (!p.settled) wait_for_previous_kernel();
    const int* kept = p.candidates + u64(head_state) * p.candidate_width;
    const int first = blockIdx.x * warps + warp, stride = gridDim.x * warps, found = first + lane * stride;  // the warp's pages, one in each lane
    const int kept_page = found < p.candidate_width ? kept[found] : 0, kept_count = p.candidate_count[head_state];
    int found_physical = found < kept_count ? table[kept_page] : 0;
    const Pool pool(p, kept, kept_count, position);
    const int found_page = found < kept_count ? kept_page : pool.page(found);
    if (found >= kept_count && found < pool.size) found_physical = table[found_page];
    const u8* heads = kv.retrieval + u64(slot) * kv.retrieval_bytes;
    const auto load = [&](Keys& keys, int k, int half) { keys.load(heads + u64(__shfl_sync(0xffffffff, found_physical, k)) * kv.retrieval_stride, half, lane); };
    Keys keys[2];
    const bool there = first < pool.size, early = there && __shfl_sync(0xffffffff, found_page, 0) < pool.pages - 1;
    if (early)
        for (int half = 0; half < 2; half++) load(keys[half], 0, half);
    wait_for_previous_kernel();
    let_next_kernel_start();
    if (there && !early)
        for (int half = 0; half < 2; half++) load(keys[half], 0, half);

    int* list = p.list + u64(head_state) * p.list_width;
    if (pool.size <= p.list_width) {
        if (blockIdx.x > 0) return;
        for (int i = threadIdx.x; i < pool.size; i += threads) list[i] = pool.page(i);
        if (threadIdx.x == 0) p.list_count[head_state] = pool.size;
        return;
    }
    const int blocks = min(int(gridDim.x), ceil_div(pool.size, warps));
    if (int(blockIdx.x) >= blocks) return;

    Query::prepare(shared.query, p.queries + u64(row) * p.query_stride + kv_head * GROUP * HEAD_DIM, warps);
    __syncthreads();
    float2* weights = reinterpret_cast<float2*>(p.scores) + u64(head_row) * (p.candidate_width + p.recent_pages) * GROUP;
    for (int k = 0; first + k * stride < pool.size; k++) {
        const int start = __shfl_sync(0xffffffff, found_page, k) * page_tokens;
        float score[2][2][4];
#pragma unroll
        for (int half = 0; half < 2; half++) {
            keys[half].scores(score[half], shared.query, lane);
            if (first + (k + 1) * stride < pool.size) load(keys[half], k + 1, half);
            hide_later(score[half], start + half * tile_tokens, position, lane);
        }
        float most[2], sum[2];
        weigh_page(most, sum, score);
        const int head = first_head<GROUP>(lane);
        for (int r = 0; r < 2; r++)
            if (lane < 4 && head + r < GROUP && !(Query::in_two_parts && lane & 2)) weights[(first + k * stride) * GROUP + head + r] = {most[r], sum[r]};
    }
    if (!arrive_last(&p.arrived[head_row], blocks)) return;

    int* pages = reinterpret_cast<int*>(page_keys + pool.size);
    share_keys(page_keys, pages, shared, reinterpret_cast<const float*>(weights), pool, p);
    const int chosen = choose_pages<threads>(page_keys, pool.size, p.list_width, shared.histogram, shared.scratch, [&](int place, int i) { list[place] = pages[i]; });
    if (threadIdx.x == 0) p.list_count[head_state] = chosen;
}
