// Page choice of prompts: a block of 128 rows past the threshold chooses once for each KV head, among the pages complete before its first row.
//
// Shapes     queries [R, H, D] float32; statistics in the pages; → list [lists, retrieval heads, list_width]
// Grid       select_prompt_prepare (8 queries, retrieval head, block), select_prompt_score (32 pages, …), select_prompt_total (256 queries, …),
//            select_prompt_choose (1, …); 256 threads each, score 288
// Variants   -DHEAD_DIM -DKEY_BITS -DVALUE_BITS -DGROUP
// Shared     score: a ring of 64 queries as operands, 33 KB each at D = 128; choose: 4 B a page
// Bytes      16 · D a page, once a block for quest and moments, twice for two-stage; prepared queries once for every 32 pages, from L2
// How        a warpgroup holds the statistics of 64 logical pages in registers and multiplies them (wgmma) with 64 queries at a time, as
//            select_prompt_prepare laid them out. quest and moments: a page scores the best of all. two-stage: parts of every query's softmax by 16
//            pages, their totals, then the scores again and each page's share of all queries
// Exactness  queries, their squares and squared deviations are rounded to binary16, as the statistics are; sums in an order that follows from the
//            block's own rows and pages
// Reference  lserve.py `prefill`; tests tests/Kernels/LServe, SelectPromptTests
#include <lserve/async.cuh>
#include <lserve/wgmma.cuh>

#include <lserve/attention/kv_page.cuh>
#include <lserve/attention/params.h>
#include <lserve/attention/warp.cuh>
#include <lserve/select/top_pages.cuh>

using namespace lserve;

using Page = KvPage<HEAD_DIM, KEY_BITS, VALUE_BITS>;
constexpr int threads = 256, warps = threads / 32, score_threads = threads + 32;
constexpr int warpgroup = 128, group_warps = 4, pages_of_warp = 4, pages_of_group = group_warps * pages_of_warp, pages_per_block = warps * pages_of_warp;
constexpr int channels = Page::channels, steps = channels / 16;
constexpr int batch = 64, parts = batch / 8, most_queries = 128 * GROUP;  // queries of a product; of a block and KV head
constexpr int chunk_bytes = batch * 128, batch_bytes = 2 * channels * batch * 2;
constexpr int stages = channels > 128 ? 2 : 3;
enum Policy { quest = 1, moments = 2, two_stage = 3 };
enum Pass { best_pass = 0, weigh_pass = 1, share_pass = 2 };

/// Where a block and head have their part of each buffer.
struct Places {
    int line, slot;  // among all blocks and heads; the retrieval head's
    const SelectPromptParams& p;

    __device__ __forceinline__ Places(const SelectPromptParams& params, int list, int head) : line(list * params.kv.retrieval_heads + head), slot(head), p(params) {}

    /// A batch of queries as the operand of a product: [2 · channels / 64][64 queries][64 channels], swizzled.
    __device__ __forceinline__ u8* prepared(int of) const { return reinterpret_cast<u8*>(p.prepared) + (u64(line) * (most_queries / batch) + of) * batch_bytes; }
    __device__ __forceinline__ float* factors() const { return p.factors + u64(line) * most_queries; }
    __device__ __forceinline__ float* scores() const { return p.scores + u64(line) * p.pages; }
    __device__ __forceinline__ float2* weights(int group) const { return reinterpret_cast<float2*>(p.weights) + (u64(line) * (p.pages / pages_of_group) + group) * most_queries; }
    __device__ __forceinline__ float2* totals() const { return reinterpret_cast<float2*>(p.totals) + u64(line) * most_queries; }
};

/// A warp's query: divided by a power of two and rounded, and what multiplies the second statistic.
extern "C" __global__ void __launch_bounds__(threads) select_prompt_prepare(const SelectPromptParams p)
{
    const PrefillBlock block = p.blocks[blockIdx.z];
    const int query = blockIdx.x * warps + threadIdx.x / 32, slot = blockIdx.y, lane = threadIdx.x % 32;
    wait_for_previous_kernel();
    let_next_kernel_start();
    if (query >= block.count * GROUP) return;
    const Places places(p, block.list, slot);
    const float* from = p.queries + u64(block.first_row + query / GROUP) * p.query_stride + (p.kv.heads[slot] * GROUP + query % GROUP) * HEAD_DIM;
    float x[channels / 32], most = 0;
#pragma unroll
    for (int i = 0; i < channels / 32; i++) {
        x[i] = lane + 32 * i < HEAD_DIM ? from[lane + 32 * i] : 0;
        most = fmaxf(most, fabsf(x[i]));
    }
    for (int step = 16; step > 0; step /= 2) most = fmaxf(most, __shfl_xor_sync(0xffffffff, most, step));
    const int exponent = min(max(int(__float_as_uint(most) >> 23) - 127, -100), 100);
    const float down = __uint_as_float(u32(127 - exponent) << 23);
    u8* to = places.prepared(query / batch);
    const auto place = [&](int channel) { return reinterpret_cast<f16*>(to + channel / 64 * chunk_bytes + swizzled(query % batch, channel / 8 % 8) + channel % 8 * 2); };
#pragma unroll
    for (int i = 0; i < channels / 32; i++) {
        const float q = x[i] * down;
        *place(lane + 32 * i) = to_f16(p.policy == quest ? fmaxf(q, 0.0f) : q);
        *place(channels + lane + 32 * i) = to_f16(p.policy == quest ? fminf(q, 0.0f) : q * q);
    }
    if (lane == 0) places.factors()[query] = __uint_as_float(u32(127 + exponent) << 23);
}

#include <lserve/select/prompt_scores.cuh>

/// One of the two warpgroups: all queries over its 16 pages. A lane has a page, and a query of every part.
template <bool Quest> __device__ __forceinline__ void score(const SelectPromptParams& p, const Places& places, const PrefillBlock& block, const Ring& ring, Weights& weights)
{
    const int lane = threadIdx.x % 32, group = threadIdx.x / warpgroup, warp = threadIdx.x / 32, past = block.position / page_tokens, queries = block.count * GROUP;
    const int page = blockIdx.x * pages_per_block + warp * pages_of_warp + lane / 8;
    Statistics statistics;
    statistics.load(p.kv, block, places.slot, page, past, lane);
    float scale[2] = {1, 1}, result = negative_infinity;
    if (!Quest) statistics.square(scale);
    const Scorer scorer{p, {scale[0], scale[1]}, page < past};
    for (int at = 0; at * batch < queries; at++) {
        const Stage stage = ring.wait_full(at);
        float first[32], second[32];
        multiply<Quest>(first, second, statistics, stage.operand);
#pragma unroll
        for (int part = 0; part < parts; part++) {
            const float x = scorer.score<Quest>(first, second, stage, part, lane);
            const int query = 8 * part + query_of(lane);
            if (p.pass == weigh_pass) weights.put(at, x, part, lane);
            else if (x == negative_infinity || at * batch + query >= queries) continue;
            else if (p.pass == best_pass) result = fmaxf(result, x);
            else result = fmaxf(result, 0.0f) + exp2_fast(x - stage.totals[query].x) * stage.totals[query].y;  // its share
        }
        ring.release(at);
        if (p.pass != weigh_pass) continue;
        sync_warpgroup(group);
        const int query = threadIdx.x % warpgroup;
        if (query < batch && at * batch + query < queries) places.weights(blockIdx.x * 2 + group)[at * batch + query] = weights.total(at, query);
    }
    if (p.pass == weigh_pass) return;
    for (int step = 1; step < 8; step *= 2) {
        const float other = __shfl_xor_sync(0xffffffff, result, step);
        if (p.pass == best_pass || other == negative_infinity || result == negative_infinity) result = fmaxf(result, other);
        else result += other;
    }
    if (lane % 8 == 0 && page < past) places.scores()[page] = result;
}

extern "C" __global__ void __launch_bounds__(score_threads, 1) select_prompt_score(const SelectPromptParams p)
{
    extern __shared__ u8 unaligned[];
    __shared__ u64 barriers[2][stages];
    __shared__ Weights weights;
    const PrefillBlock block = p.blocks[blockIdx.z];
    const Ring ring(unaligned, barriers);
    if (threadIdx.x == 0) ring.init();
    __syncthreads();
    wait_for_previous_kernel();
    let_next_kernel_start();
    if (int(blockIdx.x) * pages_per_block >= block.position / page_tokens) return;
    const Places places(p, block.list, blockIdx.y);
    if (threadIdx.x == threads) bring_queries(places, ring, block.count * GROUP);
    if (threadIdx.x >= threads) return;
    if (p.policy == quest) score<true>(p, places, block, ring, weights);
    else score<false>(p, places, block, ring, weights);
}

/// two-stage: every query's softmax over all pages, as (most, 1 / sum).
extern "C" __global__ void __launch_bounds__(threads) select_prompt_total(const SelectPromptParams p)
{
    constexpr int ahead = 8;
    const PrefillBlock block = p.blocks[blockIdx.z];
    const int query = blockIdx.x * threads + threadIdx.x, groups = ceil_div(block.position / page_tokens, pages_of_group);
    wait_for_previous_kernel();
    let_next_kernel_start();
    if (query >= block.count * GROUP) return;
    const Places places(p, block.list, blockIdx.y);
    float most = negative_infinity, sum = 0;
    for (int g = 0; g < groups; g += ahead) {
        float2 weight[ahead];
#pragma unroll
        for (int i = 0; i < ahead; i++) weight[i] = g + i < groups ? places.weights(g + i)[query] : float2{negative_infinity, 0};
#pragma unroll
        for (int i = 0; i < ahead; i++) {
            if (weight[i].x == negative_infinity) continue;
            const float next = fmaxf(most, weight[i].x);
            sum = sum * exp2_fast(most - next) + weight[i].y * exp2_fast(weight[i].x - next);
            most = next;
        }
    }
    places.totals()[query] = {most, sum > 0 ? 1 / sum : 0};
}

extern "C" __global__ void __launch_bounds__(threads) select_prompt_choose(const SelectPromptParams p)
{
    extern __shared__ u32 keys[];
    __shared__ int scratch[2 + 2 * warps], histogram[bins];
    const PrefillBlock block = p.blocks[blockIdx.z];
    const int past = block.position / page_tokens;
    wait_for_previous_kernel();
    let_next_kernel_start();
    const Places places(p, block.list, blockIdx.y);
    int* list = p.list + u64(places.line) * p.list_width;
    for (int i = threadIdx.x; i < past; i += threads) keys[i] = i < p.sink_pages || i >= past - p.recent_pages ? forced_page : page_key(places.scores()[i]);
    __syncthreads();
    const int chosen = choose_pages<threads>(keys, past, p.list_width, histogram, scratch, [&](int place, int i) { list[place] = i; });
    if (threadIdx.x == 0) p.list_count[places.line] = chosen;
}
