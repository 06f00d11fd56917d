// Prefill attention: blocks of 128 prompt rows over the pages each head's walk visits, tile by tile of 64 tokens; what no row sees is neither
// read nor computed.
//
// Shapes     queries [R, H, D] float32, output [R, H, D] binary16 or float32; pages of kv_page.cuh
// Grid       as many blocks as the device holds, 512 threads: they take (128 rows, query head) items in turn, longest first, back and forth
// Variants   -DHEAD_DIM -DKEY_BITS -DVALUE_BITS -DGROUP
// Shared     a ring of pages as binary16, 128 to 192 KB
// Bytes      a walk's pages once an item, from L2 for all but one of the heads and neighbours that share them
// How        two warpgroups of 64 rows compute (wgmma, queries and weights in registers), one brings keys, one values: from codes in memory to
//            swizzled binary16 in shared memory. A product of weights and values and the next scores are issued together, so that one
//            warpgroup's products cover the other's exponentials
// Exactness  keys, values and weights are rounded to binary16; a row's sums depend on its own scores and pages alone
// Reference  lserve.py `prefill`; test tests/Kernels/Attention
#include <lserve/async.cuh>
#include <lserve/operand_order.cuh>

#include <lserve/attention/params.h>
#include <lserve/attention/prefill_pages.cuh>
#include <lserve/attention/prefill_rows.cuh>
#include <lserve/attention/prefill_walk.cuh>

using namespace lserve;

using Page = KvPage<HEAD_DIM, KEY_BITS, VALUE_BITS>;
using Keys = PrefillKeys<HEAD_DIM, KEY_BITS, VALUE_BITS>;
using Values = PrefillValues<HEAD_DIM, KEY_BITS, VALUE_BITS>;

constexpr int channels = Page::channels, warpgroup = 128, threads = 4 * warpgroup, rows_each = 64;
constexpr int half_bytes = page_tokens * channels * 2;  // keys of a page, or values
constexpr int stages = channels == 64 ? 8 : channels == 128 ? 4 : 2;
constexpr bool queries_in_registers = channels <= 128;
constexpr int query_bytes = queries_in_registers ? 0 : 2 * rows_each * channels * 2;
constexpr int consumer_registers = queries_in_registers ? 176 : 208, producer_registers = 256 - consumer_registers;

/// The pages on their way: `which` is 0 for keys, 1 for values; `at` counts pages.
struct Ring {
    u32 full, empty;  // barriers [2][stages], shared addresses
    u32 address;      // of the pages: [stages] keys, values
    u8* pages;

    __device__ __forceinline__ u8* slot(int which, u32 at) const { return pages + (at % stages * 2 + which) * half_bytes; }
    __device__ __forceinline__ u32 slot_address(int which, u32 at) const { return address + (at % stages * 2 + which) * half_bytes; }
    __device__ __forceinline__ void wait_full(int which, u32 at) const { barrier_wait(full + place(which, at), at / stages & 1); }
    __device__ __forceinline__ void wait_empty(int which, u32 at) const { barrier_wait(empty + place(which, at), at / stages & 1 ^ 1); }
    __device__ __forceinline__ void fill(int which, u32 at) const { arrive(full + place(which, at)); }
    __device__ __forceinline__ void release(int which, u32 at) const { arrive(empty + place(which, at)); }

private:
    __device__ __forceinline__ static u32 place(int which, u32 at) { return (which * stages + at % stages) * 8; }

    /// A warp's arrival.
    __device__ __forceinline__ static void arrive(u32 barrier)
    {
        __syncwarp();
        if (threadIdx.x % 32 == 0) barrier_arrive(barrier);
    }
};

/// The rows and the query head of one item.
struct Item {
    PrefillBlock block;
    int place, head;

    __device__ __forceinline__ Item(const AttentionPrefillParams& p, int index)
    {
        const int retrieval = p.kv.retrieval_heads * GROUP, streaming = p.kv.kv_heads * GROUP - retrieval;
        const int split = p.block_count * retrieval;
        const bool streams = index >= split;
        const int rest = streams ? index - split : index, heads = streams ? streaming : retrieval, local = rest % heads;
        block = p.blocks[rest / heads];
        place = (streams ? p.kv.retrieval_heads : 0) + local / GROUP;
        head = p.kv.heads[place] * GROUP + local % GROUP;
    }
};

/// The block's items: rounds over the grid, every other one backwards, which evens out what falls from item to item.
template <typename Do> __device__ __forceinline__ void for_items(const AttentionPrefillParams& p, Do act)
{
    const int count = p.block_count * p.kv.kv_heads * GROUP;
    for (int round = 0; round * int(gridDim.x) < count; round++) {
        const int index = round * gridDim.x + (round % 2 ? gridDim.x - 1 - blockIdx.x : blockIdx.x);
        if (index < count) act(Item(p, index));
    }
}

/// A producer warpgroup: keys (Loader = Keys) or values of every page, in order.
template <typename Loader> __device__ __forceinline__ void produce(const AttentionPrefillParams& p, const Ring& ring, PrefillWalk& walk, int which)
{
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32 % 4;
    u32 at = 0;
    for_items(p, [&](const Item& item) {
        const PrefillWalk here(p, item.block, item.place);
        if (lane == 0) walk = here;  // registers are for pages on their way
        __syncwarp();
        const int entries = here.entries, last_limit = here.last % page_tokens;
        const u8* pool = here.streaming ? p.kv.streaming + u64(item.place - p.kv.retrieval_heads) * Page::streaming_bytes : p.kv.retrieval + u64(item.place) * p.kv.retrieval_bytes;
        const u64 stride = here.streaming ? p.kv.streaming_stride : p.kv.retrieval_stride;
        const auto look_up = [&](int first) { return first + lane < entries ? walk.physical(first + lane) : 0; };
        int found = look_up(0), found_next = look_up(32);  // a lane's of 32 pages
        Loader loader;
        loader.load(pool + u64(__shfl_sync(0xffffffff, found, 0)) * stride, warp, lane);
        for (int entry = 0; entry < entries; entry++, at++) {
            ring.wait_empty(which, at);
            loader.store(ring.slot(which, at), entry == entries - 1 ? last_limit : page_tokens - 1, warp, lane);
            if (entry + 1 < entries) {
                if ((entry + 1) % 32 == 0) {
                    found = found_next;
                    found_next = look_up(entry + 33);
                }
                loader.load(pool + u64(__shfl_sync(0xffffffff, found, (entry + 1) % 32)) * stride, warp, lane);
            }
            fence_for_tensor_cores();
            ring.fill(which, at);
        }
    });
}

/// A's fragments of the warpgroup's queries.
struct QueryFragments {
    u32 kept[queries_in_registers ? channels / 16 : 1][4];
    vec4* spilled;  // [channels / 16] of this thread, 128 threads apart

    __device__ __forceinline__ void set(int j, int r, u32 x)
    {
        if constexpr (queries_in_registers) kept[j / 2][j % 2 * 2 + r] = x;
        else reinterpret_cast<u32*>(&spilled[j / 2 * warpgroup])[j % 2 * 2 + r] = x;
    }

    __device__ __forceinline__ vec4 get(int k) const
    {
        if constexpr (queries_in_registers) return {kept[k][0], kept[k][1], kept[k][2], kept[k][3]};
        else return spilled[k * warpgroup];
    }
};

/// A consumer warpgroup's work on one item.
struct Consumer {
    const Ring& ring;
    QueryFragments query;
    PrefillRows<channels> rows;
    float score[32], factor[2];

    __device__ __forceinline__ void issue_scores(u32 at)
    {
        const u32 keys = describe_swizzled(ring.slot_address(0, at));
#pragma unroll
        for (int k = 0; k < channels / 16; k++) {
            const vec4 a = query.get(k);
            const u64 b = descriptor(keys + (k / 4 * key_chunk_bytes >> 4) + k % 4 * 2);
            if (k == 0) wgmma_f16_first(score, a.x, a.y, a.z, a.w, b);
            else wgmma_f16(score, a.x, a.y, a.z, a.w, b);
        }
        wgmma_commit();
    }

    __device__ __forceinline__ void issue_output(u32 at, const u32 (&weights)[4][4])
    {
        const u32 values = describe_swizzled(ring.slot_address(1, at));
#pragma unroll
        for (int part = 0; part < PrefillRows<channels>::parts; part++)
#pragma unroll
            for (int k = 0; k < 4; k++)
                wgmma_f16(rows.output[part], weights[k][0], weights[k][1], weights[k][2], weights[k][3], descriptor(values + (part * 128 * 128 >> 4) + k * 2));
        wgmma_commit();
    }

    /// Hides what the lane's two rows, at `position` and 8 later, don't see.
    __device__ __forceinline__ void mask(const PrefillWalk& walk, int entry, int position, int lane)
    {
        const int start = walk.page(entry) * page_tokens;
#pragma unroll
        for (int i = 0; i < 32; i++) {
            const int token = Keys::interleaved ? i / 4 * 8 + lane % 4 + i % 2 * 4 : i / 4 * 8 + lane % 4 * 2 + i % 2;
            if (!walk.sees(position + i / 2 % 2 * 8, start + token)) score[i] = negative_infinity;
        }
    }

    /// `at`: number of the walk's first page in the ring; low … high: positions of the warpgroup's rows.
    __device__ __forceinline__ void attend(const PrefillWalk& walk, u32 at, int low, int high, int position, int lane)
    {
        const PrefillView view(walk, low, high);
        const auto next_needed = [&](int entry) {
            for (; entry < walk.entries && !view.some(entry); entry++)
                for (int which = 0; which < 2; which++) {
                    ring.wait_full(which, at + entry);
                    ring.release(which, at + entry);
                }
            return entry;
        };
        int entry = next_needed(0), previous = -1;
        if (entry >= walk.entries) return;
        ring.wait_full(0, at + entry);
        wgmma_fence();
        issue_scores(at + entry);
        wgmma_wait<0>();
        while (true) {
            ring.release(0, at + entry);
            if (previous >= 0) ring.release(1, at + previous);
            if (!view.all(entry)) mask(walk, entry, position, lane);
            u32 weights[4][4];
            rows.weigh(weights, score, factor);
            ring.wait_full(1, at + entry);
            wgmma_fence();
            issue_output(at + entry, weights);
            previous = entry;
            entry = next_needed(entry + 1);
            if (entry >= walk.entries) break;
            ring.wait_full(0, at + entry);
            wgmma_fence();
            issue_scores(at + entry);
            wgmma_wait<0>();
        }
        wgmma_wait<0>();
        ring.release(1, at + previous);
    }
};

__device__ __forceinline__ void write_row(const AttentionPrefillParams& p, u64 at, const float (&x)[channels / 4], int lane)
{
#pragma unroll
    for (int j = 0; j < channels / 8; j++) {
        const int c = 8 * j + 2 * (lane % 4);
        if (c >= HEAD_DIM) break;
        const u64 pair = (at + c) / 2;
        if (p.output) reinterpret_cast<u32*>(p.output)[p.transposed ? transposed_pair(pair) : pair] = to_f16_clamped(x[2 * j]).bits | u32(to_f16_clamped(x[2 * j + 1]).bits) << 16;
        if (p.output_f32) *reinterpret_cast<float2*>(p.output_f32 + at + c) = {x[2 * j], x[2 * j + 1]};
    }
}

__device__ __forceinline__ void consume(const AttentionPrefillParams& p, const Ring& ring, int group, vec4* spilled)
{
    const int lane = threadIdx.x % 32, mine = group * rows_each + threadIdx.x / 32 % 4 * 16 + lane / 4;  // the first of the lane's rows
    u32 at = 0;
    for_items(p, [&](const Item& item) {
        const PrefillBlock& block = item.block;
        const PrefillWalk walk(p, block, item.place);
        const int begin = block.position / prefill_rows * prefill_rows, low = max(block.position, begin + group * rows_each), high = min(walk.last, begin + (group + 1) * rows_each - 1);
        Consumer consumer{ring};
        consumer.query.spilled = spilled + threadIdx.x % warpgroup;
#pragma unroll
        for (int r = 0; r < 2; r++) {
            const int position = begin + mine + 8 * r;
            const float* query = p.queries + u64(block.first_row + position - block.position) * p.query_stride + item.head * HEAD_DIM;
            consumer.factor[r] = load_query<HEAD_DIM, channels, (KEY_BITS < 16)>(position < low || position > high ? nullptr : query, lane, [&](int j, u32 x) { consumer.query.set(j, r, x); });
        }
        consumer.rows.clear();
        consumer.attend(walk, at, low, high, begin + mine, lane);
        at += walk.entries;
        consumer.rows.total();
#pragma unroll
        for (int r = 0; r < 2; r++) {
            float x[channels / 4];
            consumer.rows.finish<HEAD_DIM, (VALUE_BITS < 16)>(x, r, lane);
            const int position = begin + mine + 8 * r;
            if (position >= low && position <= high) write_row(p, u64(block.first_row + position - block.position) * p.output_stride + item.head * HEAD_DIM, x, lane);
        }
    });
}

extern "C" __global__ void __launch_bounds__(threads, 1) attention_prefill(const AttentionPrefillParams p)
{
    extern __shared__ u8 unaligned[];
    __shared__ u64 barriers[2][2 * stages];  // full, empty
    alignas(8) __shared__ u8 walks[8][sizeof(PrefillWalk)];  // a producing warp's
    u8* shared = unaligned + (1024 - shared_address(unaligned) % 1024) % 1024;
    const Ring ring{shared_address(barriers[0]), shared_address(barriers[1]), shared_address(shared), shared};
    if (threadIdx.x < 2 * stages) {
        barrier_init(ring.full + threadIdx.x * 8, 4);   // producing warps
        barrier_init(ring.empty + threadIdx.x * 8, 8);  // consuming warps
    }
    wait_for_previous_kernel();
    let_next_kernel_start();
    __syncthreads();
    const int group = threadIdx.x / warpgroup;
    if (group < 2) {
        take_registers<consumer_registers>();
        consume(p, ring, group, reinterpret_cast<vec4*>(shared + stages * 2 * half_bytes + group * query_bytes / 2));
    } else {
        leave_registers<producer_registers>();
        PrefillWalk& walk = reinterpret_cast<PrefillWalk&>(walks[threadIdx.x / 32 - 8]);
        if (group == 2) produce<Keys>(p, ring, walk, 0);
        else produce<Values>(p, ring, walk, 1);
    }
}
