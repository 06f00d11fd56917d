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
#include <lserve/reduce.cuh>

#include "../attention/warp.cuh"
#include "renewal.cuh"
#include "top_pages.cuh"

using namespace lserve;

using Page = KvPage<HEAD_DIM, KEY_BITS, VALUE_BITS>;
constexpr int threads = 256, pages_per_block = threads / logical_pages;
enum Policy { quest = 1, moments = 2, two_stage = 3 };

/// The group's queries split into what multiplies the first statistic and what multiplies the second.
struct Shared {
    alignas(16) float first[GROUP][HEAD_DIM];
    alignas(16) float second[GROUP][HEAD_DIM];
    float reduction[threads / 32];
    int scratch[threads / 32];
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
#pragma unroll 4
    for (int eight = 0; eight < HEAD_DIM / 8; eight++) {
        float a[8], b[8];
        unpack(a, load_streaming(page + Page::statistic(0, 8 * eight, logical)));
        unpack(b, load_streaming(page + Page::statistic(1, 8 * eight, logical)));
        if (spread)
#pragma unroll
            for (int i = 0; i < 8; i++) b[i] *= b[i];
        add(sum, shared, a, b, eight);
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

/// Two-stage: turns base-2 scores per query head [GROUP][width] into the mean share, as keys.
__device__ __forceinline__ void share_keys(u32* keys, Shared& shared, const float* scores, int width, int pages)
{
    float most[GROUP], sum[GROUP];
#pragma unroll
    for (int h = 0; h < GROUP; h++) {
        float m = negative_infinity, s = 0;
        for (int page = threadIdx.x; page < pages; page += threads) m = fmaxf(m, load_shared_result(scores + h * width + page));
        __syncthreads();
        most[h] = block_max<threads>(m, shared.reduction);
        for (int page = threadIdx.x; page < pages; page += threads) s += exp2_fast(load_shared_result(scores + h * width + page) - most[h]);
        __syncthreads();
        sum[h] = block_sum<threads>(s, shared.reduction);
    }
    for (int page = threadIdx.x; page < pages; page += threads) {
        float share = 0;
#pragma unroll
        for (int h = 0; h < GROUP; h++) share += exp2_fast(load_shared_result(scores + h * width + page) - most[h]) / sum[h];
        keys[page] = page_key(share);
    }
}

extern "C" __global__ void __launch_bounds__(threads) select_score(const SelectParams p)
{
    extern __shared__ u32 keys[];
    __shared__ Shared shared;
    const KvLayer& kv = p.kv;
    const int slot = blockIdx.y, row = blockIdx.z;
    wait_for_previous_kernel();
    let_next_kernel_start();

    const int position = kv.position[row], sequence = kv.sequence[row], pages = position / page_tokens + 1;
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

    prepare(shared, p.queries + u64(row) * p.query_stride + kv.heads[slot] * GROUP * HEAD_DIM, p.policy);
    __syncthreads();
    float* scores = p.scores + u64(head_row) * GROUP * p.score_width;
    const int page = blockIdx.x * pages_per_block + threadIdx.x / logical_pages, logical = threadIdx.x % logical_pages;
    const int complete = (position + 1) / logical_tokens, index = page * logical_pages + logical;
    float sum[2][GROUP] = {}, best[GROUP];
    if (index < complete) {
        const u8* bytes = kv.retrieval + u64(kv.retrieval_table[u64(sequence) * kv.retrieval_width + page]) * kv.retrieval_stride + u64(slot) * Page::retrieval_bytes;
        score_closed(sum, shared, bytes, logical, p.policy != quest);
    } else if (index == complete && (position + 1) % logical_tokens)
        score_open(sum, shared, p.open + u64(head_state) * 2 * HEAD_DIM, (position + 1) % logical_tokens, p.policy != quest);
#pragma unroll
    for (int h = 0; h < GROUP; h++) {
        const bool there = index * logical_tokens <= position;
        best[h] = !there ? negative_infinity : p.policy == quest ? sum[0][h] + sum[1][h] : sum[0][h] + p.deviation * sqrtf(fmaxf(sum[1][h], 0.0f));
        best[h] = fmaxf(best[h], __shfl_xor_sync(0xffffffff, best[h], 1));
        best[h] = fmaxf(best[h], __shfl_xor_sync(0xffffffff, best[h], 2));
    }
    if (logical == 0 && page < pages) {
        if (by_share)
            for (int h = 0; h < GROUP; h++) scores[h * p.score_width + page] = best[h] * (1.4426950408889634f / sqrtf(float(HEAD_DIM)));
        else {
            for (int h = 1; h < GROUP; h++) best[0] = fmaxf(best[0], best[h]);
            scores[page] = best[0];
        }
    }
    if (!arrive_last(&p.arrived[head_row], blocks)) return;

    if (by_share) share_keys(keys, shared, scores, p.score_width, pages);
    else
        for (int i = threadIdx.x; i < pages; i += threads) keys[i] = page_key(load_shared_result(scores + i));
    __syncthreads();
    for (int i = threadIdx.x; i < p.sink_pages + p.recent_pages; i += threads) keys[i < p.sink_pages ? i : pages - 1 - (i - p.sink_pages)] = forced_page;
    __syncthreads();
    const int chosen = choose_pages<threads>(keys, pages, keep, shared.scratch, [&](int place, int i) { list[place] = i; });
    if (threadIdx.x == 0) *count = chosen;
}
