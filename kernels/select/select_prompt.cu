// Page choice of prompts: a block of 128 rows past the threshold chooses once for each KV head, among the pages complete before its first row.
//
// Shapes     queries [R, H, D] float32; statistics in the pages; → list [lists, retrieval heads, list_width]
// Grid       select_prompt_prepare (8 queries, retrieval head, block), select_prompt_score (32 pages, …), select_prompt_total (256 queries, …),
//            select_prompt_choose (1, …); 256 threads each
// Variants   -DHEAD_DIM -DKEY_BITS -DVALUE_BITS -DGROUP
// Shared     about 17 KB; choose: 4 B a page
// Bytes      16 · D a page, once a block for quest and moments, twice for two-stage; prepared queries once for every 32 pages, from L2
// How        as select_score.cu, with the rows of the block as further queries, eight of them the columns of a product. quest and moments: a page
//            scores the best of all. two-stage: parts of every query's softmax by 32 pages, their totals, then the scores again and each page's
//            share of all queries
// Exactness  queries, their squares and squared deviations are rounded to binary16, as the statistics are; sums in an order that follows from the
//            block's own rows and pages
// Reference  lserve.py `prefill`; tests tests/Kernels/LServe, SelectPromptTests
#include <lserve/async.cuh>

#include <lserve/attention/kv_page.cuh>
#include <lserve/attention/params.h>
#include <lserve/attention/warp.cuh>
#include <lserve/select/top_pages.cuh>

using namespace lserve;

using Page = KvPage<HEAD_DIM, KEY_BITS, VALUE_BITS>;
constexpr int threads = 256, warps = threads / 32, pages_of_warp = 4, pages_per_block = warps * pages_of_warp;
constexpr int channels = Page::channels, chunks = channels / 64, stride = channels + 4;  // keeps the lanes of a fragment load on different banks
constexpr int parts = channels > 128 ? 2 : 4, batch = 8 * parts;  // queries in shared memory at a time, eight a part
constexpr int most_queries = 128 * GROUP;                         // of a block and KV head
constexpr int loads = batch * 2 * channels / 8 / threads;         // of 16 bytes, by a thread
enum Policy { quest = 1, moments = 2, two_stage = 3 };
enum Pass { best_pass = 0, weigh_pass = 1, share_pass = 2 };

struct Shared {
    alignas(16) u16 columns[2][parts][8][stride];  // what multiplies the first statistic, and the second
    float factor[batch];
    float2 total[batch];
    float most[warps][batch], sum[warps][batch];
};

#include <lserve/select/statistics.cuh>

/// Where a block and head have their part of each buffer.
struct Places {
    int line;  // among all blocks and heads
    const SelectPromptParams& p;

    __device__ __forceinline__ Places(const SelectPromptParams& params, int list, int slot) : line(list * params.kv.retrieval_heads + slot), p(params) {}
    __device__ __forceinline__ u16* prepared(int query) const { return reinterpret_cast<u16*>(p.prepared) + (u64(line) * most_queries + query) * 2 * channels; }
    __device__ __forceinline__ float* factors() const { return p.factors + u64(line) * most_queries; }
    __device__ __forceinline__ float* scores() const { return p.scores + u64(line) * p.pages; }
    __device__ __forceinline__ float2* weights(int group) const { return reinterpret_cast<float2*>(p.weights) + (u64(line) * (p.pages / pages_per_block) + group) * most_queries; }
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
    u16* to = places.prepared(query) + lane;
#pragma unroll
    for (int i = 0; i < channels / 32; i++) {
        const float q = x[i] * down;
        to[32 * i] = to_f16(p.policy == quest ? fmaxf(q, 0.0f) : q).bits;
        to[channels + 32 * i] = to_f16(p.policy == quest ? fminf(q, 0.0f) : q * q).bits;
    }
    if (lane == 0) places.factors()[query] = __uint_as_float(u32(127 + exponent) << 23);
}

/// Squares deviations in place, divided by a power of two for each of the lane's two logical pages: what the root of a product is multiplied by.
__device__ __forceinline__ void square(Statistics& statistics, float (&scale)[2])
{
#pragma unroll
    for (int r = 0; r < 2; r++) {
        float most = 0;
        u32* words = reinterpret_cast<u32*>(&statistics.value[1][r][0][0]);
#pragma unroll
        for (int i = 0; i < 8 * chunks; i++) most = fmaxf(most, fmaxf(low_f32(words[i]), high_f32(words[i])));
        most = fmaxf(most, __shfl_xor_sync(0xffffffff, most, 1));
        most = fmaxf(most, __shfl_xor_sync(0xffffffff, most, 2));
        const int exponent = max(int(__float_as_uint(most) >> 23) - 127, -30);
        const float down = __uint_as_float(u32(127 - exponent) << 23);
        scale[r] = __uint_as_float(u32(127 + exponent) << 23);
#pragma unroll
        for (int i = 0; i < 8 * chunks; i++) {
            const float a = low_f32(words[i]) * down, b = high_f32(words[i]) * down;
            words[i] = pack_f16x2(a * a, b * b);
        }
    }
}

__device__ __forceinline__ float sqrt_fast(float x) { float y; asm("sqrt.approx.f32 %0, %1;" : "=f"(y) : "f"(x)); return y; }

/// Scores of the lane's two pages for its two queries of a part: best[column][r], of query 8 · part + 2 · (lane % 4) + column and page lane / 16 + 2 · r of the warp's.
__device__ __forceinline__ void score_part(
    float (&best)[2][2], const Shared& shared, const Statistics& statistics, const float (&scale)[2], const SelectPromptParams& p, int part, int first_page, int past, int lane)
{
    float first[4] = {}, second[4] = {};
    multiply(first, statistics, 0, shared.columns[0][part], lane);
    multiply(second, statistics, 1, shared.columns[1][part], lane);
#pragma unroll
    for (int column = 0; column < 2; column++)
#pragma unroll
        for (int r = 0; r < 2; r++) {
            const float a = first[2 * r + column], b = second[2 * r + column];
            float x = shared.factor[8 * part + 2 * (lane % 4) + column] * (p.policy == quest ? a + b : a + p.deviation * scale[r] * sqrt_fast(b));
            if (!(fabsf(x) < -negative_infinity) || first_page + 2 * r >= past) x = negative_infinity;
            x = fmaxf(x, __shfl_xor_sync(0xffffffff, x, 4));
            x = fmaxf(x, __shfl_xor_sync(0xffffffff, x, 8));
            best[column][r] = p.policy == two_stage ? x * (1.4426950408889634f / sqrtf(float(HEAD_DIM))) : x;
        }
}

/// The warp's 4 pages in the softmax of a query, as a sum relative to its largest term.
__device__ __forceinline__ void weigh_part(Shared& shared, const float (&best)[2][2], int part, int lane)
{
#pragma unroll
    for (int column = 0; column < 2; column++) {
        float most = fmaxf(best[column][0], best[column][1]);
        most = fmaxf(most, __shfl_xor_sync(0xffffffff, most, 16));
        float sum = most == negative_infinity ? 0 : exp2_fast(best[column][0] - most) + exp2_fast(best[column][1] - most);
        sum += __shfl_xor_sync(0xffffffff, sum, 16);
        if (lane >= 4) continue;
        shared.most[threadIdx.x / 32][8 * part + 2 * lane + column] = most;
        shared.sum[threadIdx.x / 32][8 * part + 2 * lane + column] = sum;
    }
}

/// A thread's query over the warps.
__device__ __forceinline__ float2 weigh_query(const Shared& shared, int query)
{
    float most = negative_infinity, sum = 0;
    for (int w = 0; w < warps; w++) most = fmaxf(most, shared.most[w][query]);
    for (int w = 0; w < warps && most > negative_infinity; w++) sum += shared.sum[w][query] * exp2_fast(shared.most[w][query] - most);
    return {most, sum};
}

/// Queries on their way to shared memory.
struct Batch {
    vec4 words[loads];
    float factor;
    float2 total;

    __device__ __forceinline__ void load(const Places& places, int from, int queries)
    {
#pragma unroll
        for (int k = 0; k < loads; k++) {
            const int at = (threadIdx.x + k * threads) * 8, query = at / (2 * channels);
            words[k] = from + query < queries ? *reinterpret_cast<const vec4*>(places.prepared(from) + at) : vec4{0, 0, 0, 0};
        }
        const bool mine = int(threadIdx.x) < batch && from + int(threadIdx.x) < queries;
        factor = mine ? places.factors()[from + threadIdx.x] : 0;
        total = mine && places.p.pass == share_pass ? places.totals()[from + threadIdx.x] : float2{0, 0};
    }

    __device__ __forceinline__ void store(Shared& shared) const
    {
#pragma unroll
        for (int k = 0; k < loads; k++) {
            const int at = (threadIdx.x + k * threads) * 8, query = at / (2 * channels), which = at / channels % 2;
            vec2* to = reinterpret_cast<vec2*>(&shared.columns[which][query / 8][query % 8][at % channels]);
            to[0] = {words[k].x, words[k].y};
            to[1] = {words[k].z, words[k].w};
        }
        if (int(threadIdx.x) >= batch) return;
        shared.factor[threadIdx.x] = factor;
        shared.total[threadIdx.x] = total;
    }
};

/// What a lane's queries make of its two pages: the best score, or the sum of shares.
__device__ __forceinline__ void add_part(float (&result)[2], const Shared& shared, const float (&best)[2][2], int pass, int part, int left, int lane)
{
#pragma unroll
    for (int column = 0; column < 2; column++) {
        const int query = 8 * part + 2 * (lane % 4) + column;
        if (query >= left) continue;
#pragma unroll
        for (int r = 0; r < 2; r++) {
            if (best[column][r] == negative_infinity) continue;
            if (pass == best_pass) result[r] = fmaxf(result[r], best[column][r]);
            else result[r] = fmaxf(result[r], 0.0f) + exp2_fast(best[column][r] - shared.total[query].x) * shared.total[query].y;
        }
    }
}

extern "C" __global__ void __launch_bounds__(threads, channels > 128 ? 1 : 2) select_prompt_score(const SelectPromptParams p)
{
    __shared__ Shared shared;
    const KvLayer& kv = p.kv;
    const PrefillBlock block = p.blocks[blockIdx.z];
    const int slot = blockIdx.y, past = block.position / page_tokens, lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    wait_for_previous_kernel();
    let_next_kernel_start();
    if (int(blockIdx.x) * pages_per_block >= past) return;

    const Places places(p, block.list, slot);
    const int first_page = blockIdx.x * pages_per_block + warp * pages_of_warp + lane / 16, queries = block.count * GROUP;
    const u8* row_pages[2];
    for (int r = 0; r < 2; r++)
        row_pages[r] = first_page + 2 * r >= past ? nullptr
            : kv.retrieval + u64(kv.retrieval_table[u64(block.sequence) * kv.retrieval_width + first_page + 2 * r]) * kv.retrieval_stride + u64(slot) * kv.retrieval_bytes;
    Statistics statistics;
    statistics.load(row_pages, lane);
    float scale[2] = {1, 1}, result[2] = {negative_infinity, negative_infinity};
    if (p.policy != quest) square(statistics, scale);
    Batch next;
    next.load(places, 0, queries);
    for (int from = 0; from < queries; from += batch) {
        __syncthreads();
        next.store(shared);
        __syncthreads();
        next.load(places, from + batch, queries);
        for (int part = 0; part < parts && from + 8 * part < queries; part++) {
            float best[2][2];
            score_part(best, shared, statistics, scale, p, part, first_page, past, lane);
            if (p.pass == weigh_pass) weigh_part(shared, best, part, lane);
            else add_part(result, shared, best, p.pass, part, queries - from, lane);
        }
        if (p.pass != weigh_pass) continue;
        __syncthreads();
        if (int(threadIdx.x) < batch && from + int(threadIdx.x) < queries) places.weights(blockIdx.x)[from + threadIdx.x] = weigh_query(shared, threadIdx.x);
    }
    if (p.pass == weigh_pass) return;
#pragma unroll
    for (int r = 0; r < 2; r++) {
        for (int step = 1; step < 4; step *= 2) {
            const float other = __shfl_xor_sync(0xffffffff, result[r], step);
            if (p.pass == best_pass || other == negative_infinity || result[r] == negative_infinity) result[r] = fmaxf(result[r], other);
            else result[r] += other;
        }
        if (lane % 16 == 0 && first_page + 2 * r < past) places.scores()[first_page + 2 * r] = result[r];
    }
}

/// two-stage: every query's softmax over all pages, as (most, 1 / sum).
extern "C" __global__ void __launch_bounds__(threads) select_prompt_total(const SelectPromptParams p)
{
    const PrefillBlock block = p.blocks[blockIdx.z];
    const int query = blockIdx.x * threads + threadIdx.x, groups = ceil_div(block.position / page_tokens, pages_per_block);
    wait_for_previous_kernel();
    let_next_kernel_start();
    if (query >= block.count * GROUP) return;
    const Places places(p, block.list, blockIdx.y);
    float most = negative_infinity, sum = 0;
    for (int g = 0; g < groups; g++) {
        const float2 weight = places.weights(g)[query];
        if (weight.x == negative_infinity) continue;
        const float next = fmaxf(most, weight.x);
        sum = sum * exp2_fast(most - next) + weight.y * exp2_fast(weight.x - next);
        most = next;
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
