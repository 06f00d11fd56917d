// Page choice of prompts: a block of 128 rows past the threshold chooses once for each KV head, among the pages complete before its first row.
//
// Shapes     queries [R, H, D] float32; statistics in the pages; → list [lists, retrieval heads, list_width]
// Grid       select_prompt_score (32 pages, retrieval head, block), select_prompt_total (queries, …), select_prompt_choose (1, …); 256 threads each
// Variants   -DHEAD_DIM -DKEY_BITS -DVALUE_BITS -DGROUP
// Shared     about 300 · channels B; choose: 4 B a page
// Bytes      16 · D a page, once a block for quest and moments, twice for two-stage; queries once for every 32 pages, from L2
// How        as select_score.cu, with the rows of the block as further queries. quest and moments: a page scores the best of all. two-stage: parts
//            of every query's softmax by 32 pages, their totals, then the scores again and each page's share of all queries
// Exactness  as select_score.cu; sums in an order that follows from the block's own rows and pages
// Reference  lserve.py `prefill`; test tests/Kernels/LServe
#include <lserve/async.cuh>

#include <lserve/attention/kv_page.cuh>
#include <lserve/attention/params.h>
#include <lserve/attention/warp.cuh>
#include <lserve/select/top_pages.cuh>

using namespace lserve;

using Page = KvPage<HEAD_DIM, KEY_BITS, VALUE_BITS>;
constexpr int threads = 256, warps = threads / 32, pages_of_warp = 4, pages_per_block = warps * pages_of_warp;
constexpr int channels = Page::channels, chunks = channels / 64, stride = channels + 4, parts = channels > 128 ? 2 : 4;
constexpr int batch = 4 * parts;                     // queries in shared memory at a time
constexpr int most_queries = 128 * GROUP;            // of a block and KV head
enum Policy { quest = 1, moments = 2, two_stage = 3 };
enum Pass { best_pass = 0, weigh_pass = 1, share_pass = 2 };

/// A batch of queries, four a part; as in select_score.cu.
struct Shared {
    alignas(16) u16 first[parts][8][stride];
    alignas(16) u16 negative[parts][8][stride];
    alignas(16) float squared[parts][8][stride];
    float factor[batch];
    float most[warps][batch], sum[warps][batch];
};

#include <lserve/select/statistics.cuh>

/// Where a block and head have their part of each buffer.
struct Places {
    int line;  // among all blocks and heads
    const SelectPromptParams& p;

    __device__ __forceinline__ Places(const SelectPromptParams& params, int list, int slot) : line(list * params.kv.retrieval_heads + slot), p(params) {}
    __device__ __forceinline__ float* scores() const { return p.scores + u64(line) * p.pages; }
    __device__ __forceinline__ float2* weights(int group) const { return reinterpret_cast<float2*>(p.weights) + (u64(line) * (p.pages / pages_per_block) + group) * most_queries; }
    __device__ __forceinline__ float2* totals() const { return reinterpret_cast<float2*>(p.totals) + u64(line) * most_queries; }
};

/// Scores of the lane's two pages for its two queries of a part: best[column][r], of query 4 · part + (2 · lane + column) % 4 and page lane / 16 + 2 · r of the warp's.
__device__ __forceinline__ void score_part(float (&best)[2][2], const Shared& shared, const Statistics& statistics, const SelectPromptParams& p, int part, int first_page, int past, int lane)
{
    float first[4] = {}, second[4] = {};
    multiply(first, statistics, 0, shared.first[part], lane);
    if (p.policy == quest) multiply(second, statistics, 1, shared.negative[part], lane);
    else multiply_squares(second, statistics, shared.squared[part], lane);
#pragma unroll
    for (int column = 0; column < 2; column++)
#pragma unroll
        for (int r = 0; r < 2; r++) {
            float a = first[2 * r + column], b = second[2 * r + column];
            a += __shfl_xor_sync(0xffffffff, a, 2);
            b += __shfl_xor_sync(0xffffffff, b, 2);
            float x = shared.factor[4 * part + (2 * lane + column & 3)] * (p.policy == quest ? a + b : a + p.deviation * sqrtf(b < 0 ? 0 : b));
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
        if (lane >= 2) continue;
        shared.most[threadIdx.x / 32][4 * part + 2 * lane + column] = most;
        shared.sum[threadIdx.x / 32][4 * part + 2 * lane + column] = sum;
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

extern "C" __global__ void __launch_bounds__(threads) select_prompt_score(const SelectPromptParams p)
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
    const float* origin = p.queries + u64(block.first_row) * p.query_stride + kv.heads[slot] * GROUP * HEAD_DIM;
    float result[2] = {negative_infinity, negative_infinity};
    for (int from = 0; from < queries; from += batch) {
        __syncthreads();
        prepare(shared, [&](int q) { return from + q < queries ? origin + u64((from + q) / GROUP) * p.query_stride + (from + q) % GROUP * HEAD_DIM : nullptr; }, p.policy);
        __syncthreads();
        for (int part = 0; part < parts && from + 4 * part < queries; part++) {
            float best[2][2];
            score_part(best, shared, statistics, p, part, first_page, past, lane);
            if (p.pass == weigh_pass) weigh_part(shared, best, part, lane);
            else
                for (int column = 0; column < 2; column++) {
                    const int query = from + 4 * part + (2 * lane + column & 3);
                    if (query >= queries) continue;
                    for (int r = 0; r < 2; r++) {
                        if (best[column][r] == negative_infinity) continue;
                        if (p.pass == best_pass) result[r] = fmaxf(result[r], best[column][r]);
                        else {
                            const float2 total = places.totals()[query];
                            result[r] = fmaxf(result[r], 0.0f) + exp2_fast(best[column][r] - total.x) * total.y;
                        }
                    }
                }
        }
        if (p.pass != weigh_pass) continue;
        __syncthreads();
        if (int(threadIdx.x) < batch && from + int(threadIdx.x) < queries) places.weights(blockIdx.x)[from + threadIdx.x] = weigh_query(shared, threadIdx.x);
    }
    if (p.pass == weigh_pass) return;
    for (int r = 0; r < 2; r++) {
        const float other = __shfl_xor_sync(0xffffffff, result[r], 1);
        if (p.pass == best_pass) result[r] = fmaxf(result[r], other);
        else if (result[r] > negative_infinity || other > negative_infinity) result[r] = fmaxf(result[r], 0.0f) + fmaxf(other, 0.0f);
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
    for (int g = 0; g < groups; g++) most = fmaxf(most, places.weights(g)[query].x);
    for (int g = 0; g < groups && most > negative_infinity; g++) {
        const float2 weight = places.weights(g)[query];
        sum += weight.y * exp2_fast(weight.x - most);
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
