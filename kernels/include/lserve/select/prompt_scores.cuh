// Scores of logical pages for batches of a prompt block's queries, on a warpgroup's tensor cores: a part of select/select_prompt.cu, which defines the constants and types used here.
#pragma once

/// The second statistic is multiplied by what follows the first's channels in a prepared query. Rows g and g + 8 of a warp are logical pages 2 · (g % 2) and
/// the next of page g / 2, so that a lane has two of one page and its neighbour 4 further the others.
struct Statistics {
    u32 value[2][steps][4];  // which; A's fragments of 16 channels: rows g and g + 8, then their channels 8 further

    /// Of the lane's page; zeros where it isn't complete.
    __device__ __forceinline__ void load(const KvLayer& kv, const PrefillBlock& block, int slot, int page, int past, int lane)
    {
        const u8* bytes = page >= past ? nullptr
            : kv.retrieval + u64(kv.retrieval_table[u64(block.sequence) * kv.retrieval_width + page]) * kv.retrieval_stride + u64(slot) * kv.retrieval_bytes;
#pragma unroll
        for (int which = 0; which < 2; which++)
#pragma unroll
            for (int s = 0; s < steps; s++)
#pragma unroll
                for (int i = 0; i < 4; i++) {
                    const int channel = 16 * s + i / 2 * 8, logical = lane / 4 % 2 * 2 + i % 2;
                    value[which][s][i] = bytes && channel < HEAD_DIM ? *reinterpret_cast<const u32*>(bytes + Page::statistic(which, channel + 2 * (lane % 4), logical)) : 0;
                }
    }

    /// Squares deviations in place, divided by a power of two for each of the lane's two logical pages: what the root of a product is multiplied by.
    __device__ __forceinline__ void square(float (&scale)[2])
    {
#pragma unroll
        for (int r = 0; r < 2; r++) {
            float most = 0;
#pragma unroll
            for (int i = 0; i < 2 * steps; i++) {
                const u32 word = value[1][i / 2][r + i % 2 * 2];
                most = fmaxf(most, fmaxf(low_f32(word), high_f32(word)));
            }
            most = fmaxf(most, __shfl_xor_sync(0xffffffff, most, 1));
            most = fmaxf(most, __shfl_xor_sync(0xffffffff, most, 2));
            const int exponent = max(int(__float_as_uint(most) >> 23) - 127, -30);
            const float down = __uint_as_float(u32(127 - exponent) << 23);
            scale[r] = __uint_as_float(u32(127 + exponent) << 23);
#pragma unroll
            for (int i = 0; i < 2 * steps; i++) {
                u32& word = value[1][i / 2][r + i % 2 * 2];
                const float a = low_f32(word) * down, b = high_f32(word) * down;
                word = pack_f16x2(a * a, b * b);
            }
        }
    }
};

/// A batch of queries in shared memory.
struct Stage {
    u32 operand;           // shared address
    const float* factors;  // [batch]
    const float2* totals;  // [batch]
};

/// Batches on their way; `at` counts them.
struct Ring {
    u32 full, empty;
    u8* space;  // [stages] operands, then factors, then totals

    __device__ __forceinline__ Ring(u8* unaligned, u64 (&barriers)[2][stages])
        : full(shared_address(barriers[0])), empty(shared_address(barriers[1])), space(unaligned + (1024 - shared_address(unaligned) % 1024) % 1024) {}

    __device__ __forceinline__ void init() const
    {
        for (int i = 0; i < stages; i++) {
            barrier_init(full + 8 * i, 1);
            barrier_init(empty + 8 * i, warps);
        }
        barrier_init_fence();
    }

    __device__ __forceinline__ u8* operand(int at) const { return space + at % stages * batch_bytes; }
    __device__ __forceinline__ float* factors(int at) const { return reinterpret_cast<float*>(space + stages * batch_bytes) + at % stages * batch; }
    __device__ __forceinline__ float2* totals(int at) const { return reinterpret_cast<float2*>(space + stages * (batch_bytes + batch * 4)) + at % stages * batch; }

    __device__ __forceinline__ Stage wait_full(int at) const
    {
        barrier_wait(full + 8 * (at % stages), at / stages & 1);
        return {shared_address(operand(at)), factors(at), totals(at)};
    }

    __device__ __forceinline__ void release(int at) const
    {
        __syncwarp();
        if (threadIdx.x % 32 == 0) barrier_arrive(empty + 8 * (at % stages));
    }
};

/// One thread asks for all batches in turn.
__device__ __forceinline__ void bring_queries(const Places& places, const Ring& ring, int queries)
{
    const bool totals = places.p.pass == share_pass;
    for (int at = 0; at * batch < queries; at++) {
        const u32 full = ring.full + 8 * (at % stages);
        barrier_wait(ring.empty + 8 * (at % stages), at / stages & 1 ^ 1);
        barrier_expect(full, batch_bytes + batch * 4 + (totals ? batch * 8 : 0));
        copy_bulk(shared_address(ring.operand(at)), places.prepared(at), batch_bytes, full);
        copy_bulk(shared_address(ring.factors(at)), places.factors() + at * batch, batch * 4, full);
        if (totals) copy_bulk(shared_address(ring.totals(at)), places.totals() + at * batch, batch * 8, full);
    }
}

/// first = first statistic · queries, second = squares · squared queries; quest: first is the sum of both products. acc[4j + 2r + c]: row g + 8r, query 8j + 2q + c.
template <bool Quest> __device__ __forceinline__ void multiply(float (&first)[32], float (&second)[32], const Statistics& statistics, u32 operand)
{
    const u32 columns = describe_swizzled(operand);
    const auto step = [&](float (&acc)[32], int which, int s, bool begin) {
        const u32 (&a)[4] = statistics.value[which][s];
        const u64 b = descriptor(columns + ((which * channels / 64 + s / 4) * chunk_bytes >> 4) + s % 4 * 2);
        if (begin) wgmma_f16_first(acc, a[0], a[1], a[2], a[3], b);
        else wgmma_f16(acc, a[0], a[1], a[2], a[3], b);
    };
    wgmma_fence();
#pragma unroll
    for (int s = 0; s < steps; s++) step(first, 0, s, s == 0);
#pragma unroll
    for (int s = 0; s < steps; s++) {
        if constexpr (Quest) step(first, 1, s, false);
        else step(second, 1, s, s == 0);
    }
    wgmma_commit();
    wgmma_wait<0>();
}

__device__ __forceinline__ float sqrt_fast(float x) { float y; asm("sqrt.approx.f32 %0, %1;" : "=f"(y) : "f"(x)); return y; }

/// The lane's query among the eight of a part.
__device__ __forceinline__ int query_of(int lane) { return lane % 4 * 2 + lane / 4 % 2; }

struct Scorer {
    const SelectPromptParams& p;
    float scale[2];
    bool complete;  // the lane's page

    /// Of the lane's page for its query of a part: the best of the logical pages.
    template <bool Quest> __device__ __forceinline__ float score(const float (&first)[32], const float (&second)[32], const Stage& stage, int part, int lane) const
    {
        float best[2];  // of two queries over the lane's two logical pages
#pragma unroll
        for (int column = 0; column < 2; column++) {
            float x[2];
#pragma unroll
            for (int r = 0; r < 2; r++) {
                const int i = 4 * part + 2 * r + column;
                if constexpr (Quest) x[r] = first[i];
                else x[r] = first[i] + p.deviation * scale[r] * sqrt_fast(second[i]);
            }
            best[column] = fmaxf(x[0], x[1]);  // keeps what is a number
        }
        const bool odd = lane & 4;
        const float other = __shfl_xor_sync(0xffffffff, odd ? best[0] : best[1], 4);
        const float x = fmaxf(odd ? best[1] : best[0], other) * stage.factors[8 * part + query_of(lane)];
        if (!(fabsf(x) < -negative_infinity) || !complete) return negative_infinity;
        return p.policy == two_stage ? x * (1.4426950408889634f / sqrtf(float(HEAD_DIM))) : x;
    }
};

__device__ __forceinline__ void sync_warpgroup(int which) { asm volatile("bar.sync %0, 128;" ::"r"(which + 1) : "memory"); }

/// Scores of a batch by the warpgroups' pages, of two batches in turn.
struct Weights {
    static constexpr int line = batch + 8;  // keeps a warp's pages on different banks

    float score[2][threads / warpgroup][pages_of_group][line];

    __device__ __forceinline__ void put(int at, float x, int part, int lane)
    {
        score[at % 2][threadIdx.x / warpgroup][threadIdx.x % warpgroup / 32 * pages_of_warp + lane / 8][8 * part + query_of(lane)] = x;
    }

    /// A query's softmax over the warpgroup's pages, as its largest term and a sum relative to it.
    __device__ __forceinline__ float2 total(int at, int query) const
    {
        float x[pages_of_group], most = negative_infinity, sum = 0;
#pragma unroll
        for (int i = 0; i < pages_of_group; i++) most = fmaxf(most, x[i] = score[at % 2][threadIdx.x / warpgroup][i][query]);
#pragma unroll
        for (int i = 0; i < pages_of_group; i++) sum += most == negative_infinity ? 0 : exp2_fast(x[i] - most);
        return {most, sum};
    }
};
