// First stage of page selection: a score for every page from its statistics, then the best pages, in the block that finishes a row and head last.
//
// Shapes     queries [R, H, D] float32; statistics in the pages; → list (quest, moments) or candidates (two-stage) [S, retrieval heads, …]
// Grid       (any number of blocks, retrieval heads, rows that renew), 256 threads: blocks take 32 pages in turn
// Variants   -DHEAD_DIM -DKEY_BITS -DVALUE_BITS -DGROUP
// Shared     dynamic: 4 B per page of the longest row
// Bytes      16 · D a page (4 logical pages, two binary16 a channel)
// How        a warp scores 4 pages: their 16 logical pages are the rows of tensor-core products, query heads the columns. Statistics are binary16,
//            and queries come in two parts, high and low, as do squared deviations (tf32), so that scores are those of float32
// Reference  lserve.py `page_scores`, `combine`, `choose`; test tests/Kernels/Attention
#include <lserve/async.cuh>

#include <lserve/attention/params.h>
#include <lserve/attention/kv_page.cuh>
#include <lserve/attention/warp.cuh>
#include <lserve/select/top_pages.cuh>

using namespace lserve;

using Page = KvPage<HEAD_DIM, KEY_BITS, VALUE_BITS>;
constexpr int threads = 256, warps = threads / 32, pages_of_warp = 4, pages_per_block = warps * pages_of_warp;
constexpr int channels = Page::channels, chunks = channels / 64, stride = channels + 4, parts = (GROUP + 3) / 4;
enum Policy { quest = 1, moments = 2, two_stage = 3 };

/// The group's queries, four heads a part: what multiplies the first statistic and what multiplies the second. Column h + 4 is what column h cuts off.
struct Shared {
    alignas(16) u16 first[parts][8][stride];
    alignas(16) u16 negative[parts][8][stride];  // quest
    alignas(16) float squared[parts][8][stride];  // else
    float factor[GROUP];                          // of the power of two that queries were divided by
    float open[GROUP];                            // scores of the open logical page
    float most[warps][GROUP], sum[warps][GROUP];
    int scratch[2 + 2 * warps];
    int histogram[bins];
};

#include <lserve/select/statistics.cuh>

__device__ __forceinline__ void store_halves(u16 (&columns)[8][stride], int head, int channel, float x)
{
    const f16 high = to_f16(x);
    columns[head][channel] = high.bits;
    columns[head + 4][channel] = to_f16(x - to_f32(high)).bits;
}

__device__ __forceinline__ void prepare(Shared& shared, const float* queries, int policy)
{
    const int lane = threadIdx.x % 32;
    for (int h = threadIdx.x / 32; h < 4 * parts; h += warps) {
        float x[(stride + 31) / 32], most = 0;
#pragma unroll
        for (int i = 0; i < (stride + 31) / 32; i++) {
            const int c = lane + 32 * i;
            x[i] = h < GROUP && c < HEAD_DIM ? queries[h * HEAD_DIM + c] : 0;
            most = fmaxf(most, fabsf(x[i]));
        }
        for (int step = 16; step > 0; step /= 2) most = fmaxf(most, __shfl_xor_sync(0xffffffff, most, step));
        const int exponent = min(max(int(__float_as_uint(most) >> 23) - 127, -100), 100);
        const float down = __uint_as_float(u32(127 - exponent) << 23);
        if (lane == 0 && h < GROUP) shared.factor[h] = __uint_as_float(u32(127 + exponent) << 23);
#pragma unroll
        for (int i = 0; i < (stride + 31) / 32; i++) {
            const int c = lane + 32 * i;
            if (c >= stride) break;
            const float q = x[i] * down, square = q * q;
            store_halves(shared.first[h / 4], h % 4, c, policy == quest ? fmaxf(q, 0.0f) : q);
            if (policy == quest) store_halves(shared.negative[h / 4], h % 4, c, fminf(q, 0.0f));
            else {
                shared.squared[h / 4][h % 4][c] = __uint_as_float(upper_tf32(square));
                shared.squared[h / 4][h % 4 + 4][c] = square - __uint_as_float(upper_tf32(square));
            }
        }
    }
}

/// One warp: scores of the open logical page of `tokens` tokens, from float32.
__device__ __forceinline__ void score_open(Shared& shared, const float* queries, const float* open, int tokens, int policy, float deviation)
{
    const int lane = threadIdx.x % 32;
    for (int h = 0; h < GROUP; h++) {
        float first = 0, second = 0;
        for (int c = lane; c < HEAD_DIM; c += 32) {
            const float q = queries[h * HEAD_DIM + c], a = open[c], b = open[HEAD_DIM + c];
            first += policy == quest ? fmaxf(q * a, q * b) : q * a;
            second += policy == quest ? 0 : q * q * (b / float(tokens));
        }
        for (int step = 16; step > 0; step /= 2) {
            first += __shfl_xor_sync(0xffffffff, first, step);
            second += __shfl_xor_sync(0xffffffff, second, step);
        }
        if (lane == 0) shared.open[h] = first + deviation * sqrtf(second);
    }
}

/// Two-stage: the block's pages in every head's softmax, [GROUP] (most, sum), from each warp's.
__device__ __forceinline__ void weigh_block(Shared& shared, float* weights)
{
    __syncthreads();
    if (threadIdx.x >= GROUP) return;
    float most = negative_infinity, sum = 0;
    for (int w = 0; w < warps; w++) most = fmaxf(most, shared.most[w][threadIdx.x]);
    for (int w = 0; w < warps; w++) sum += shared.sum[w][threadIdx.x] * exp2_fast(shared.most[w][threadIdx.x] - most);
    weights[2 * threadIdx.x] = most;
    weights[2 * threadIdx.x + 1] = sum;
}

/// Two-stage: the warp's 4 pages for the head of a lane's accumulator column, as a sum relative to its largest term.
__device__ __forceinline__ void weigh_warp(Shared& shared, const float (&best)[2], int head, int lane)
{
    float most = fmaxf(best[0], best[1]);
    most = fmaxf(most, __shfl_xor_sync(0xffffffff, most, 16));
    float sum = most == negative_infinity ? 0 : exp2_fast(best[0] - most) + exp2_fast(best[1] - most);
    sum += __shfl_xor_sync(0xffffffff, sum, 16);
    if (lane < 2 && head < GROUP) {
        shared.most[threadIdx.x / 32][head] = most;
        shared.sum[threadIdx.x / 32][head] = sum;
    }
}

/// Each page's share of every head's softmax, summed over heads, as keys; `scores` [pages][GROUP] base 2, `weights` [blocks][GROUP] (most, sum).
__device__ __forceinline__ void share_keys(u32* keys, Shared& shared, const float* scores, const float* weights, int pages, int blocks)
{
    constexpr int ahead = 8;
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    for (int h = warp; h < GROUP; h += warps) {
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
            for (int h = 0; h < GROUP; h++) share += score[k][h] == negative_infinity ? negative_infinity : exp2_fast(score[k][h] - shared.most[0][h]) * shared.sum[0][h];
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

/// Scores of the warp's 4 pages: of all heads as one, or (two-stage) of each in base 2, with the warp's part of its softmax.
__device__ __forceinline__ void score_pages(
    Shared& shared, const Statistics& statistics, const SelectParams& p, float* scores, int first_page, int pages, int complete, bool has_open, int lane)
{
    const bool by_share = p.policy == two_stage;
    const int logical = lane / 4 % logical_pages;
    float best_of_all[2] = {negative_infinity, negative_infinity};
#pragma unroll
    for (int part = 0; part < parts; part++) {
        float first[4] = {}, second[4] = {};
        multiply(first, statistics, 0, shared.first[part], lane);
        if (p.policy == quest) multiply(second, statistics, 1, shared.negative[part], lane);
        else multiply_squares(second, statistics, shared.squared[part], lane);
#pragma unroll
        for (int column = 0; column < 2; column++) {
            const int head = 4 * part + (2 * lane + column & 3), known = min(head, GROUP - 1);
            float best[2];
#pragma unroll
            for (int r = 0; r < 2; r++) {
                float a = first[2 * r + column], b = second[2 * r + column];
                a += __shfl_xor_sync(0xffffffff, a, 2);
                b += __shfl_xor_sync(0xffffffff, b, 2);
                const int index = (first_page + 2 * r) * logical_pages + logical;
                best[r] = shared.factor[known] * (p.policy == quest ? a + b : a + p.deviation * sqrtf(b < 0 ? 0 : b));
                if (index >= complete) best[r] = index == complete && has_open ? shared.open[known] : negative_infinity;
                if (!(fabsf(best[r]) < -negative_infinity)) best[r] = negative_infinity;  // keys that are no numbers
                best[r] = fmaxf(best[r], __shfl_xor_sync(0xffffffff, best[r], 4));
                best[r] = fmaxf(best[r], __shfl_xor_sync(0xffffffff, best[r], 8));
                if (by_share) best[r] *= 1.4426950408889634f / sqrtf(float(HEAD_DIM));
                if (by_share && lane % 16 < 2 && head < GROUP && first_page + 2 * r < pages) scores[(first_page + 2 * r) * GROUP + head] = best[r];
                if (head < GROUP) best_of_all[r] = fmaxf(best_of_all[r], best[r]);
            }
            if (by_share) weigh_warp(shared, best, head, lane);
        }
    }
#pragma unroll
    for (int r = 0; r < 2; r++) {
        const float best = fmaxf(best_of_all[r], __shfl_xor_sync(0xffffffff, best_of_all[r], 1));
        if (!by_share && lane % 16 == 0 && first_page + 2 * r < pages) scores[first_page + 2 * r] = best;
    }
}

extern "C" __global__ void __launch_bounds__(threads, 2) select_score(const SelectParams p)
{
    extern __shared__ u32 keys[];
    __shared__ Shared shared;
    const KvLayer& kv = p.kv;
    const int slot = blockIdx.y, row = p.renewing[blockIdx.z];
    if (row < 0) {
        wait_for_previous_kernel();
        return;
    }
    const int position = kv.position[row], sequence = kv.sequence[row], pages = position / page_tokens + 1, kv_head = kv.heads[slot];
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, logical = lane / 4 % logical_pages;
    const int complete = (position + 1) / logical_tokens, open_tokens = (position + 1) % logical_tokens;
    const int groups = ceil_div(pages, pages_per_block), last_group = groups - 1;
    const auto page_of = [&](int group) { return group * pages_per_block + warp * pages_of_warp + lane / 16; };  // of the lane's first row; its second one's is 2 on
    const u8* row_pages[2];
    const auto look_up = [&](int group) {
        for (int r = 0; r < 2; r++) {
            const int page = page_of(group) + 2 * r;
            row_pages[r] = nullptr;
            if (page * logical_pages + logical < complete)
                row_pages[r] = kv.retrieval + u64(kv.retrieval_table[u64(sequence) * kv.retrieval_width + page]) * kv.retrieval_stride + u64(slot) * kv.retrieval_bytes;
        }
    };
    look_up(blockIdx.x);
    wait_for_previous_kernel();
    let_next_kernel_start();

    const int head_state = sequence * kv.state_heads + slot, head_row = row * kv.retrieval_heads + slot;
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
    const int blocks = min(int(gridDim.x), groups);
    if (int(blockIdx.x) >= blocks) return;

    Statistics statistics;
    statistics.load(row_pages, lane);
    const float* queries = p.queries + u64(row) * p.query_stride + kv_head * GROUP * HEAD_DIM;
    const bool has_open = open_tokens && last_group % blocks == int(blockIdx.x);
    if (has_open && warp == 0) score_open(shared, queries, p.open + u64(head_state) * 2 * HEAD_DIM, open_tokens, p.policy, p.policy == quest ? 0 : p.deviation);
    prepare(shared, queries, p.policy);
    __syncthreads();
    float* scores = p.scores + u64(head_row) * p.score_stride;
    float* weights = scores + GROUP * pages_per_block * groups;  // two-stage: [groups][GROUP] (most, sum)
    for (int group = blockIdx.x; group < groups; group += blocks) {
        if (group != int(blockIdx.x)) {
            look_up(group);
            statistics.load(row_pages, lane);
            __syncthreads();
        }
        score_pages(shared, statistics, p, scores, page_of(group), pages, complete, has_open, lane);
        if (by_share) weigh_block(shared, weights + group * GROUP * 2);
    }
    if (!arrive_last(&p.arrived[head_row], blocks)) return;

    if (by_share) share_keys(keys, shared, scores, weights, pages, groups);
    else score_keys(keys, scores, pages);
    __syncthreads();
    for (int i = threadIdx.x; i < p.sink_pages + p.recent_pages; i += threads) keys[i < p.sink_pages ? i : pages - 1 - (i - p.sink_pages)] = forced_page;
    __syncthreads();
    const int chosen = choose_pages<threads>(keys, pages, keep, shared.histogram, shared.scratch, [&](int place, int i) { list[place] = i; });
    if (threadIdx.x == 0) *count = chosen;
}
