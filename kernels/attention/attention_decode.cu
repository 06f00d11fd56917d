// Decode attention: split-KV over the page lists of all rows and heads, then, in the block that finishes a row and head last, the combination.
//
// Shapes     queries [R, H, D] float32, output [R, H, D] binary16 or float32; pages of kv_page.cuh; work from attention_plan.cu
// Grid       at least items · heads of each kind, 128 threads: a block is one item of one KV head, with all of its query heads
// Variants   -DHEAD_DIM -DKEY_BITS -DVALUE_BITS -DGROUP (1 … 8)
// Shared     about 4 · GROUP · channels floats
// Bytes      codes and scales of the listed pages once; 2 · (D + 2) floats a split and query head
// How        a warp takes tiles of 32 tokens straight into registers: keys → scores (mma, tokens as rows) → weights → values (mma,
//            channels as rows). Scales of values go into the weights, which stay below 1; all sums in float32.
// Reference  lserve.py `decode`; test tests/Kernels/Attention
#include <lserve/async.cuh>

#include <lserve/attention/keys.cuh>
#include <lserve/attention/params.h>
#include <lserve/attention/values.cuh>
#include <lserve/attention/visible.cuh>

using namespace lserve;

using Page = KvPage<HEAD_DIM, KEY_BITS, VALUE_BITS>;
using Keys = KeyTile<HEAD_DIM, KEY_BITS, VALUE_BITS, GROUP>;
using Values = ValueTile<HEAD_DIM, KEY_BITS, VALUE_BITS>;
using Query = Keys::Query;

constexpr int warps = 4, threads = 32 * warps, channels = Page::channels;
constexpr int tile_loads = Keys::chunks * Keys::words + Values::loads;  // of 16 bytes, by a lane
constexpr int resident = tile_loads > 16 ? 2 : 3;                       // blocks of a multiprocessor

struct Shared {
    Query::Shared query;
    float most[warps][8], sum[warps][8], bias[warps][8];
    alignas(8) float output[warps][GROUP][channels];
    float weight[GROUP][most_splits];
};

/// What a warp has seen so far, for the lane's two query heads; sums are of the lane's own tokens until `reduce`.
struct Accumulator {
    float most[2], sum[2], bias[2];
    float output[Values::products][4];

    __device__ __forceinline__ void clear()
    {
        for (int r = 0; r < 2; r++) {
            most[r] = negative_infinity;
            sum[r] = bias[r] = 0;
        }
#pragma unroll
        for (int n = 0; n < Values::products; n++)
#pragma unroll
            for (int r = 0; r < 4; r++) output[n][r] = 0;
    }

    __device__ __forceinline__ void raise(const float (&to)[2])
    {
        float factor[2];
        for (int r = 0; r < 2; r++) {
            const float next = fmaxf(most[r], to[r]);
            factor[r] = exp2_fast(most[r] - next);
            most[r] = next;
            sum[r] *= factor[r];
            bias[r] *= factor[r];
        }
        if (!__any_sync(0xffffffff, factor[0] != 1 || factor[1] != 1)) return;
#pragma unroll
        for (int n = 0; n < Values::products; n++)
#pragma unroll
            for (int r = 0; r < 4; r++) output[n][r] *= factor[r % 2];
    }

    /// Over the lanes of a column, and over its two parts.
    __device__ __forceinline__ void reduce()
    {
        for (int r = 0; r < 2; r++)
            for (int step = 4; step < 32; step *= 2) {
                sum[r] += __shfl_xor_sync(0xffffffff, sum[r], step);
                bias[r] += __shfl_xor_sync(0xffffffff, bias[r], step);
            }
        if constexpr (Query::in_two_parts)
#pragma unroll
            for (int n = 0; n < Values::products; n++)
#pragma unroll
                for (int r = 0; r < 4; r++) output[n][r] += __shfl_xor_sync(0xffffffff, output[n][r], 2);
    }

    __device__ __forceinline__ void store(Shared& shared, int lane, int warp) const
    {
        const int head = first_head<GROUP>(lane);
#pragma unroll
        for (int r = 0; r < 2; r++) {
            if (head + r >= GROUP || (Query::in_two_parts && lane & 2)) continue;
            if (lane < 4) {
                shared.most[warp][head + r] = most[r];
                shared.sum[warp][head + r] = sum[r];
                shared.bias[warp][head + r] = bias[r];
            }
#pragma unroll
            for (int n = 0; n < Values::products; n++) {
                shared.output[warp][head + r][Values::channel(n, lane / 4)] = output[n][r];
                shared.output[warp][head + r][Values::channel(n, lane / 4 + 8)] = output[n][2 + r];
            }
        }
    }
};

/// An upper bound of the base-2 exponent of a value scale; at least that of the smallest binary16.
__device__ __forceinline__ float exponent_above(float scale) { return float(max(int(__float_as_uint(scale) >> 23) - 126, -24)); }

__device__ __forceinline__ void attend(Accumulator& a, const float (&score)[2][4], Values& values, u32 mask, int lane)
{
    float low[4], step[4], above[4], top[2] = {negative_infinity, negative_infinity};
    const u32 mine = mask >> lane / 4 * 4;
#pragma unroll
    for (int token = 0; token < 4; token++) {
        low[token] = 0;
        step[token] = 1;
        above[token] = 0;
        if constexpr (Values::quantised) {
            const u32 pair = mine >> token & 1 ? Keys::part(values.scale, token) : 0;
            step[token] = high_f32(pair);
            low[token] = low_f32(pair) + Values::base * step[token];
            above[token] = exponent_above(step[token]);
        }
        for (int r = 0; r < 2; r++)
            if (mine >> token & 1) top[r] = fmaxf(top[r], score[token / 2][token % 2 * 2 + r] + above[token]);
    }
    for (int r = 0; r < 2; r++)
        for (int step = 4; step < 32; step *= 2) top[r] = fmaxf(top[r], __shfl_xor_sync(0xffffffff, top[r], step));
    a.raise(top);

    u32 weights[2][2];
#pragma unroll
    for (int token = 0; token < 4; token++) {
        float weight[2];
        for (int r = 0; r < 2; r++) {
            const float p = mine >> token & 1 ? exp2_fast(score[token / 2][token % 2 * 2 + r] - a.most[r]) : 0;
            a.sum[r] += p;
            a.bias[r] += p * low[token];
            weight[r] = p * step[token];
        }
        u32 packed = pack_f16x2(weight[0], weight[1]);
        if (Query::in_two_parts && lane & 2) packed = pack_f16x2(weight[0] - low_f32(packed), weight[1] - high_f32(packed));
        weights[token / 2][token % 2] = transpose_8x8(packed);
    }
    if (mask != ~0u) values.hide(mask, lane);
    values.accumulate(a.output, weights);
}

/// Where a block's pages are.
struct PageList {
    Window window;
    const int* table;
    const int* list;   // or null
    bool streaming;
    int sink, width;

    __device__ __forceinline__ PageList(const AttentionDecodeParams& p, const DecodeItem& item, int slot, bool is_streaming)
        : window(item.position, is_streaming ? p.kv.sink : 0, !is_streaming ? 1 : item.dense ? everything : p.kv.local), streaming(is_streaming), sink(p.kv.sink), width(p.kv.streaming_width)
    {
        const KvLayer& kv = p.kv;
        table = streaming ? kv.streaming_table + u64(item.sequence) * kv.streaming_width : kv.retrieval_table + u64(item.sequence) * kv.retrieval_width;
        list = streaming || item.dense || !p.list ? nullptr : p.list + (u64(item.sequence) * kv.state_heads + slot) * p.list_width;
    }

    __device__ __forceinline__ int page(int entry) const { return streaming ? window.page(entry) : list ? list[entry] : entry; }
    __device__ __forceinline__ int physical(int page) const { return table[streaming ? ring_slot(page, sink, width) : page]; }
};

#include <lserve/attention/decode_result.cuh>

/// A warp's tiles of the block's pages: tile warp + warps · k for k = 0 … count − 1, looked up 32 at a time, one by each lane.
struct Tiles {
    const PageList& pages;
    const u8* pool;
    u64 page_stride;
    int first, total, lane, warp;
    int found_page, found_physical;

    __device__ __forceinline__ int count() const { return (total - warp + warps - 1) / warps; }

    __device__ __forceinline__ void look_up(int k)
    {
        const int tile = warp + warps * (k + lane);
        found_page = tile < total ? pages.page(first + tile / 2) : 0;
        found_physical = tile < total ? pages.physical(found_page) : 0;
    }

    __device__ __forceinline__ int half(int k) const { return (warp + warps * k) % 2; }
    __device__ __forceinline__ int page(int k) const { return __shfl_sync(0xffffffff, found_page, k % 32); }
    __device__ __forceinline__ const u8* bytes(int k) const { return pool + u64(__shfl_sync(0xffffffff, found_physical, k % 32)) * page_stride; }
};

/// The warp's part: values of a tile and keys of the next are on their way while it computes.
__device__ __forceinline__ void attend_tiles(Accumulator& a, Tiles& tiles, const AttentionDecodeParams& p, Shared& shared, const DecodeItem& item, int kv_head, bool streaming)
{
    const int sink = streaming ? p.kv.sink : 0, local_start = streaming ? tiles.pages.window.local_start : 0, count = tiles.count(), lane = tiles.lane;
    Keys keys;
    Values values;
    const u8* bytes = tiles.pool;
    int page = 0;
    const auto start = [&] {
        tiles.look_up(0);
        bytes = tiles.bytes(0);
        page = tiles.page(0);
    };
    const auto load = [&] {
        keys.load(bytes, tiles.half(0), lane);
        values.load_scales(bytes, tiles.half(0), lane);
        if constexpr (tile_loads <= 16) values.load(bytes, tiles.half(0), lane);
    };
    // What the previous kernel doesn't write is read before it has ended: all pages but the last, where the list is known.
    const bool known = count > 0 && (!tiles.pages.list || p.settled);
    if (known) start();
    const bool early = known && page < item.position / page_tokens;
    if (early) load();
    wait_for_previous_kernel();
    let_next_kernel_start();
    if (count > 0 && !known) start();
    if (count > 0 && !early) load();
    Query::prepare(shared.query, p.queries + u64(item.row) * p.query_stride + kv_head * GROUP * HEAD_DIM, warps);
    __syncthreads();
    for (int k = 0; k < count; k++) {
        const u32 mask = visible_tokens(page * page_tokens + tiles.half(k) * tile_tokens, item.position, sink, local_start);
        if (tile_loads > 16 || k > 0) {
            values.load_scales(bytes, tiles.half(k), lane);
            values.load(bytes, tiles.half(k), lane);
        }
        float score[2][4];
        keys.scores(score, shared.query, lane);
        if (k + 1 < count) {
            if ((k + 1) % 32 == 0) tiles.look_up(k + 1);
            bytes = tiles.bytes(k + 1);
            page = tiles.page(k + 1);
            keys.load(bytes, tiles.half(k + 1), lane);
        }
        if (mask) attend(a, score, values, mask, lane);
    }
}

extern "C" __global__ void __launch_bounds__(threads, resident) attention_decode(const AttentionDecodeParams p)
{
    __shared__ Shared shared;
    const KvLayer& kv = p.kv;
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    const int retrieval_blocks = p.counts[0] * kv.retrieval_heads, streaming_heads = kv.kv_heads - kv.retrieval_heads;
    const bool streaming = int(blockIdx.x) >= retrieval_blocks;
    const int block = streaming ? blockIdx.x - retrieval_blocks : blockIdx.x, heads = streaming ? streaming_heads : kv.retrieval_heads;
    if (streaming && block >= p.counts[1] * streaming_heads) return;
    const DecodeItem item = (streaming ? p.streaming : p.retrieval)[block / heads];
    const int slot = block % heads, place = streaming ? kv.retrieval_heads + slot : slot, kv_head = kv.heads[place];
    const PageList pages(p, item, slot, streaming);
    int last = item.first + item.count;
    if (pages.list) {
        if (!p.settled) wait_for_previous_kernel();
        last = min(last, p.list_count[item.sequence * kv.state_heads + slot]);
    }
    Tiles tiles = {pages, streaming ? kv.streaming + u64(slot) * Page::streaming_bytes : kv.retrieval + u64(slot) * kv.retrieval_bytes,
                   streaming ? kv.streaming_stride : kv.retrieval_stride, item.first, max(0, 2 * (last - item.first)), lane, warp};
    Accumulator a;
    a.clear();
    attend_tiles(a, tiles, p, shared, item, kv_head, streaming);
    a.reduce();
    a.store(shared, lane, warp);
    __syncthreads();

    if (item.splits == 1) {
        merge_warps(shared, [&](int head, int channel, float value, float sum, float) {
            shared.output[0][head][channel] = value;  // read by this thread alone before
            if (channel == 0) shared.weight[head][0] = sum;
        });
        __syncthreads();
        if (threadIdx.x < GROUP) shared.query.sum[threadIdx.x] = shared.weight[threadIdx.x][0];
        __syncthreads();
        finish(p, shared.output[0], shared.query.sum, item.row, kv_head);
        return;
    }
    float* part = p.partial + u64(blockIdx.x) * part_floats;
    merge_warps(shared, [&](int head, int channel, float value, float sum, float most) {
        if (channel < HEAD_DIM) part[head * HEAD_DIM + channel] = value;
        if (channel == 0) *reinterpret_cast<float2*>(part + part_values + 2 * head) = {most, sum};
    });
    if (!arrive_last(&p.arrived[item.row * kv.kv_heads + place], item.splits)) return;
    combine(p, shared, blockIdx.x - u64(item.split) * heads, heads, item.splits, item.row, kv_head);
}
