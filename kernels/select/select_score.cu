// First stage of page selection: a score for every page from its statistics, then the best pages, in the block that finishes a row and head last.
//
// Shapes     queries [R, H, D] float32; statistics in the pages; → list (quest, moments) or candidates (two-stage) [S, retrieval heads, …]
// Grid       (pages of the longest row / 64, retrieval heads, R), 256 threads; rows that renew nothing leave at once
// Variants   -DHEAD_DIM -DKEY_BITS -DVALUE_BITS -DGROUP
// Shared     dynamic: 4 B per page of the longest row
// Bytes      16 · D a page (4 logical pages, two binary16 a channel)
// How        a lane scores one logical page against all query heads of the group: no reduction over lanes but the best of four
// Reference  lserve.py `page_scores`, `combine`, `choose`; test tests/Kernels/Attention
#include <lserve/async.cuh>

#include <lserve/attention/warp.cuh>
#include <lserve/select/renewal.cuh>
#include <lserve/select/top_pages.cuh>

using namespace lserve;

using Page = KvPage<HEAD_DIM, KEY_BITS, VALUE_BITS>;
constexpr int threads = 256, pages_per_block = threads / logical_pages;
enum Policy { quest = 1, moments = 2, two_stage = 3 };

/// The group's queries split into what multiplies the first statistic and what multiplies the second.
struct Shared {
    alignas(16) float first[GROUP][HEAD_DIM];
    alignas(16) float second[GROUP][HEAD_DIM];
    float most[threads / 32][GROUP], sum[threads / 32][GROUP];
    int scratch[2 + threads / 32];
    int histogram[digits];
};

__device__ __forceinline__ void prepare(Shared& shared, const float* queries, int policy)
{
    for (int i = threadIdx.x; i < GROUP * HEAD_DIM; i += threads) {
        const float q = queries[i];
        (&shared.first[0][0])[i] = policy == quest ? fmaxf(q, 0.0f) : q;
        (&shared.second[0][0])[i] = policy == quest ? fminf(q, 0.0f) : q * q;
    }
}

__device__ __forceinline__ void unpack(float (&x)[8], const vec4& v)
{
    const u32 words[4] = {v.x, v.y, v.z, v.w};
#pragma unroll
    for (int i = 0; i < 4; i++) {
        x[2 * i] = low_f32(words[i]);
        x[2 * i + 1] = high_f32(words[i]);
    }
}

/// 8 channels from channel 8·eight on: quest's extremes, or mean and variance.
__device__ __forceinline__ void add(float (&sum)[2][GROUP], const Shared& shared, const float (&a)[8], const float (&b)[8], int eight)
{
#pragma unroll
    for (int h = 0; h < GROUP; h++) {
        const float4* first = reinterpret_cast<const float4*>(&shared.first[h][8 * eight]);
        const float4* second = reinterpret_cast<const float4*>(&shared.second[h][8 * eight]);
#pragma unroll
        for (int i = 0; i < 2; i++) {
            const float4 f = first[i], s = second[i];
            sum[0][h] += f.x * a[4 * i] + f.y * a[4 * i + 1] + f.z * a[4 * i + 2] + f.w * a[4 * i + 3];
            sum[1][h] += s.x * b[4 * i] + s.y * b[4 * i + 1] + s.z * b[4 * i + 2] + s.w * b[4 * i + 3];
        }
    }
}

/// Scores of a complete logical page: binary16 statistics in its page.
__device__ __forceinline__ void score_closed(float (&sum)[2][GROUP], const Shared& shared, const u8* page, int logical, bool spread)
{
    constexpr int eights = HEAD_DIM / 8, ahead = eights % 4 ? 2 : 4;
#pragma unroll 1
    for (int first = 0; first < eights; first += ahead) {
        vec4 raw[2][ahead];
#pragma unroll
        for (int i = 0; i < ahead; i++)
            for (int which = 0; which < 2; which++) raw[which][i] = load_streaming(page + Page::statistic(which, 8 * (first + i), logical));
#pragma unroll
        for (int i = 0; i < ahead; i++) {
            float a[8], b[8];
            unpack(a, raw[0][i]);
            unpack(b, raw[1][i]);
            if (spread)
#pragma unroll
                for (int k = 0; k < 8; k++) b[k] *= b[k];
            add(sum, shared, a, b, first + i);
        }
    }
}

/// Scores of the open logical page of `tokens` tokens: float32 sums.
__device__ __forceinline__ void score_open(float (&sum)[2][GROUP], const Shared& shared, const float* open, int tokens, bool spread)
{
    for (int eight = 0; eight < HEAD_DIM / 8; eight++) {
        float a[8], b[8];
        for (int i = 0; i < 8; i++) {
            a[i] = open[8 * eight + i];
            b[i] = spread ? open[HEAD_DIM + 8 * eight + i] / float(tokens) : open[HEAD_DIM + 8 * eight + i];
        }
        add(sum, shared, a, b, eight);
    }
}

/// Two-stage: the block's pages in every head's softmax, [GROUP] (most, sum); `best` of a page in its four lanes.
__device__ __forceinline__ void weigh_block(Shared& shared, const float (&best)[GROUP], float* weights)
{
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
#pragma unroll
    for (int h = 0; h < GROUP; h++) {
        float most = best[h];
        for (int step = 4; step < 32; step *= 2) most = fmaxf(most, __shfl_xor_sync(0xffffffff, most, step));
        float sum = most == negative_infinity ? 0 : exp2_fast(best[h] - most);
        for (int step = 4; step < 32; step *= 2) sum += __shfl_xor_sync(0xffffffff, sum, step);
        if (lane == 0) {
            shared.most[warp][h] = most;
            shared.sum[warp][h] = sum;
        }
    }
    __syncthreads();
    if (threadIdx.x >= GROUP) return;
    float most = negative_infinity, sum = 0;
    for (int w = 0; w < threads / 32; w++) most = fmaxf(most, shared.most[w][threadIdx.x]);
    for (int w = 0; w < threads / 32; w++) sum += shared.sum[w][threadIdx.x] * exp2_fast(shared.most[w][threadIdx.x] - most);
    weights[2 * threadIdx.x] = most;
    weights[2 * threadIdx.x + 1] = sum;
}

/// Each page's share of every head's softmax, summed over heads, as keys; `scores` [pages][GROUP] base 2, `weights` [blocks][GROUP] (most, sum).
__device__ __forceinline__ void share_keys(u32* keys, Shared& shared, const float* scores, const float* weights, int pages, int blocks)
{
    constexpr int ahead = 8;
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    for (int h = warp; h < GROUP; h += threads / 32) {
        float most = negative_infinity, sum = 0;
        for (int b = lane; b < blocks; b += 32) {
            const float block_most = load_shared_result(weights + (b * GROUP + h) * 2), block_sum = load_shared_result(weights + (b * GROUP + h) * 2 + 1);
            const float next = fmaxf(most, block_most);
            sum = (most == negative_infinity ? 0 : sum * exp2_fast(most - next)) + block_sum * exp2_fast(block_most - next);
            most = next;
        }
        float all = most;
        for (int step = 16; step > 0; step /= 2) all = fmaxf(all, __shfl_xor_sync(0xffffffff, all, step));
        sum = most == negative_infinity ? 0 : sum * exp2_fast(most - all);
        for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(0xffffffff, sum, step);
        if (lane == 0) {
            shared.most[0][h] = all;
            shared.sum[0][h] = 1 / sum;
        }
    }
    __syncthreads();
    for (int first = threadIdx.x; first < pages; first += ahead * threads) {
        float score[ahead][GROUP];
#pragma unroll
        for (int k = 0; k < ahead; k++)
#pragma unroll
            for (int h = 0; h < GROUP; h++)
                score[k][h] = first + k * threads < pages ? load_shared_result(scores + (first + k * threads) * GROUP + h) : negative_infinity;
#pragma unroll
        for (int k = 0; k < ahead; k++) {
            float share = 0;
#pragma unroll
            for (int h = 0; h < GROUP; h++) share += exp2_fast(score[k][h] - shared.most[0][h]) * shared.sum[0][h];
            if (first + k * threads < pages) keys[first + k * threads] = page_key(share);
        }
    }
}

/// `scores` [pages] as keys.
__device__ __forceinline__ void score_keys(u32* keys, const float* scores, int pages)
{
    constexpr int ahead = 8;
    for (int first = threadIdx.x; first < pages; first += ahead * threads) {
        float score[ahead];
#pragma unroll
        for (int k = 0; k < ahead; k++) score[k] = first + k * threads < pages ? load_shared_result(scores + first + k * threads) : 0;
#pragma unroll
        for (int k = 0; k < ahead; k++)
            if (first + k * threads < pages) keys[first + k * threads] = page_key(score[k]);
    }
}

extern "C" __global__ void __launch_bounds__(threads, 3) select_score(const SelectParams p)
{
    extern __shared__ u32 keys[];
    __shared__ Shared shared;
    const KvLayer& kv = p.kv;
    const int slot = blockIdx.y, row = blockIdx.z;
    const int position = kv.position[row], sequence = kv.sequence[row], pages = position / page_tokens + 1, kv_head = kv.heads[slot];
    const int page = blockIdx.x * pages_per_block + threadIdx.x / logical_pages, logical = threadIdx.x % logical_pages;
    const int physical = page < pages ? kv.retrieval_table[u64(sequence) * kv.retrieval_width + page] : 0;
    wait_for_previous_kernel();
    let_next_kernel_start();

    if (!must_renew(position, p.first_after_prompt[sequence], p.interval)) return;
    const int head_state = sequence * kv.retrieval_heads + slot, head_row = row * kv.retrieval_heads + slot;
    const bool by_share = p.policy == two_stage;
    const int keep = by_share ? p.candidate_width : p.list_width;
    int* list = by_share ? p.candidates + u64(head_state) * keep : p.list + u64(head_state) * keep;
    int* count = by_share ? p.candidate_count + head_state : p.list_count + head_state;
    if (pages <= keep) {
        if (blockIdx.x > 0) return;
        for (int i = threadIdx.x; i < pages; i += threads) list[i] = i;
        if (threadIdx.x == 0) *count = pages;
        return;
    }
    const int blocks = ceil_div(pages, pages_per_block);
    if (int(blockIdx.x) >= blocks) return;

    prepare(shared, p.queries + u64(row) * p.query_stride + kv_head * GROUP * HEAD_DIM, p.policy);
    __syncthreads();
    float* scores = p.scores + u64(head_row) * p.score_stride;
    float* weights = scores + GROUP * pages_per_block * blocks;  // two-stage: [blocks][GROUP] (most, sum)
    const int complete = (position + 1) / logical_tokens, index = page * logical_pages + logical;
    float sum[2][GROUP] = {}, best[GROUP];
    if (index < complete) {
        score_closed(sum, shared, kv.retrieval + u64(physical) * kv.retrieval_stride + u64(slot) * Page::retrieval_bytes, logical, p.policy != quest);
    } else if (index == complete && (position + 1) % logical_tokens)
        score_open(sum, shared, p.open + u64(head_state) * 2 * HEAD_DIM, (position + 1) % logical_tokens, p.policy != quest);
#pragma unroll
    for (int h = 0; h < GROUP; h++) {
        const bool there = index * logical_tokens <= position;
        best[h] = !there ? negative_infinity : p.policy == quest ? sum[0][h] + sum[1][h] : sum[0][h] + p.deviation * sqrtf(fmaxf(sum[1][h], 0.0f));
        best[h] = fmaxf(best[h], __shfl_xor_sync(0xffffffff, best[h], 1));
        best[h] = fmaxf(best[h], __shfl_xor_sync(0xffffffff, best[h], 2));
    }
    if (by_share) {
#pragma unroll
        for (int h = 0; h < GROUP; h++) {
            best[h] *= 1.4426950408889634f / sqrtf(float(HEAD_DIM));
            if (logical == 0 && page < pages) scores[page * GROUP + h] = best[h];
        }
        weigh_block(shared, best, weights + blockIdx.x * GROUP * 2);
    } else {
        for (int h = 1; h < GROUP; h++) best[0] = fmaxf(best[0], best[h]);
        if (logical == 0 && page < pages) scores[page] = best[0];
    }
    if (!arrive_last(&p.arrived[head_row], blocks)) return;

    if (by_share) share_keys(keys, shared, scores, weights, pages, blocks);
    else score_keys(keys, scores, pages);
    __syncthreads();
    for (int i = threadIdx.x; i < p.sink_pages + p.recent_pages; i += threads) keys[i < p.sink_pages ? i : pages - 1 - (i - p.sink_pages)] = forced_page;
    __syncthreads();
    const int chosen = choose_by_block<threads>(keys, pages, keep, shared.histogram, shared.scratch, [&](int place, int i) { list[place] = i; });
    if (threadIdx.x == 0) *count = chosen;
}
