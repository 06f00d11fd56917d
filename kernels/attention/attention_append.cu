// Rotary position embedding of new tokens' queries (in place) and keys, after the norm per head where the model has one; keys and values into
// their pages, with the statistics of their logical page.
//
// Shapes     queries [R, H, D], keys, values [R, G, D] float32; pages of kv_page.cuh
// Grid       (runs of at most 16 tokens within a logical page, G), 128 threads; (2 + group) · 16 vectors by the warps, then words by all threads
// Variants   -DHEAD_DIM -DKEY_BITS -DVALUE_BITS
// Shared     16 KB at D = 128
// Bytes      8 · group · D for queries, 8 · D in and (bits of keys + bits of values) / 8 · D out per token and KV head; 8 · D twice for the open statistics
// Exactness  the angle is position · frequency in float64, brought into ±π there. Codes as lserve.py `codes`: centre and rotation in float64, then
//            float32 with single roundings. Statistics in token order
// Reference  Cpu/Reference RopeAppend, lserve.py `codes`, `page_scores`; tests tests/Kernels/Attention, tests/Kernels/Cuda/RopeTests
#include <lserve/async.cuh>

#include <lserve/attention/kv_page.cuh>
#include <lserve/attention/params.h>
#include <lserve/attention/visible.cuh>
#include <lserve/attention/warp.cuh>

using namespace lserve;

using Page = KvPage<HEAD_DIM, KEY_BITS, VALUE_BITS>;
constexpr int warps = 4, threads = 32 * warps, channels = Page::channels, elements = (HEAD_DIM + 31) / 32;

constexpr int pairs = HEAD_DIM / 2, pairs_of_lane = (pairs + 31) / 32, open_of_thread = (HEAD_DIM + threads - 1) / threads;

struct Shared {
    u16 code[2][logical_tokens][channels];   // keys, values
    u32 scale[2][logical_tokens];            // (low, scale)
    float key[logical_tokens][HEAD_DIM];     // turned
};

/// Cosines and sines of a position, for the lane's pairs of channels.
struct Turns {
    float2 at[pairs_of_lane];

    __device__ __forceinline__ Turns(const AttentionAppendParams& p, int position, int lane)
    {
        constexpr double turn = 6.283185307179586476925, inverse = 0.15915494309189533577;
#pragma unroll
        for (int j = 0; j < pairs_of_lane; j++) {
            const double angle = p.inverse_frequencies && lane + 32 * j < pairs ? position * p.inverse_frequencies[lane + 32 * j] : 0;
            float sine, cosine;
            sincosf(float(angle - rint(angle * inverse) * turn), &sine, &cosine);
            at[j] = {cosine * p.magnitude, sine * p.magnitude};
        }
    }
};

/// A warp turns a head; pair i: channels first · i and first · i + second. `from` and `to` may be the same.
__device__ __forceinline__ void turn_head(const AttentionAppendParams& p, const float* from, float* to, const float* gain, const Turns& turns, int lane)
{
    const int first = p.halves ? 1 : 2, second = p.halves ? pairs : 1;
    float a[pairs_of_lane], b[pairs_of_lane], squares = 0;
#pragma unroll
    for (int j = 0; j < pairs_of_lane; j++) {
        const int i = lane + 32 * j;
        a[j] = i < pairs ? from[first * i] : 0;
        b[j] = i < pairs ? from[first * i + second] : 0;
        squares += a[j] * a[j] + b[j] * b[j];
    }
    for (int step = 16; gain && step > 0; step /= 2) squares += __shfl_xor_sync(0xffffffff, squares, step);
    const float scale = gain ? 1.0f / sqrtf(squares / HEAD_DIM + p.epsilon) : 1.0f;
#pragma unroll
    for (int j = 0; j < pairs_of_lane; j++) {
        const int i = lane + 32 * j;
        if (i >= pairs) continue;
        const float u = gain ? a[j] * scale * gain[first * i] : a[j], v = gain ? b[j] * scale * gain[first * i + second] : b[j];
        to[first * i] = u * turns.at[j].x - v * turns.at[j].y;
        to[first * i + second] = u * turns.at[j].y + v * turns.at[j].x;
    }
}

__device__ __forceinline__ u32 pack_pair(f16 low, f16 high) { return low.bits | u32(high.bits) << 16; }

/// Codes of one vector: asymmetric, low and scale in binary16.
template <int Bits> __device__ __forceinline__ void quantise(Shared& shared, int which, int token, const float* vector, const float* centre, int lane)
{
    double exact[elements];
    float x[elements], least = -negative_infinity, most = negative_infinity;
#pragma unroll
    for (int i = 0; i < elements; i++) {
        const int c = lane + 32 * i;
        exact[i] = c >= HEAD_DIM ? 0 : Bits < 16 && centre ? double(vector[c]) - double(centre[c]) : double(vector[c]);
    }
    if constexpr (Bits < 16) rotate<HEAD_DIM>(exact, lane);
#pragma unroll
    for (int i = 0; i < elements; i++) {
        x[i] = float(exact[i]);
        if (lane + 32 * i >= HEAD_DIM) continue;
        least = fminf(least, x[i]);
        most = fmaxf(most, x[i]);
    }
    for (int c = lane; c < channels; c += 32) shared.code[which][token][c] = 0;
    if constexpr (Bits == 16) {
        for (int i = 0; i < elements; i++)
            if (lane + 32 * i < HEAD_DIM) shared.code[which][token][lane + 32 * i] = to_f16_clamped(x[i]).bits;
    } else {
        for (int step = 16; step > 0; step /= 2) {
            least = fminf(least, __shfl_xor_sync(0xffffffff, least, step));
            most = fmaxf(most, __shfl_xor_sync(0xffffffff, most, step));
        }
        constexpr float top = float((1 << Bits) - 1);
        const f16 low = to_f16_clamped(least);
        const f16 scale = to_f16(fminf(fmaxf(__fdiv_rn(__fsub_rn(most, to_f32(low)), top), 0.0f), f16_max));
        const float step = to_f32(scale);
    #pragma unroll
        for (int i = 0; i < elements; i++) {
            const int c = lane + 32 * i;
            const float code = step > 0 ? fminf(fmaxf(rintf(__fdiv_rn(__fsub_rn(x[i], to_f32(low)), step)), 0.0f), top) : 0;
            if (c < HEAD_DIM) shared.code[which][token][c] = u16(code);
        }
        if (lane == 0) shared.scale[which][token] = pack_pair(low, scale);
    }
}

/// Two codes' fields side by side in the halves of a word.
__device__ __forceinline__ u32 pair_field(const u16* code, int pair, int shift, u32 field, int at)
{
    return (code[2 * pair] >> shift & field) << at | (code[2 * pair + 1] >> shift & field) << (16 + at);
}

/// The 16 channels from `code` on: pairs in order.
__device__ __forceinline__ u32 high_word(const u16* code)
{
    u32 x = 0;
    for (int pair = 0; pair < 8; pair++) x |= pair_field(code, pair, KEY_BITS - 2, 3, 2 * pair);
    return x;
}

/// Neighbouring pairs change places, so that a mask and an OR put them beside the high bits.
__device__ __forceinline__ u32 middle_word(const u16* code)
{
    u32 x = 0;
    for (int pair = 0; pair < 8; pair++) x |= pair_field(code, pair, KEY_BITS - 4, 3, 2 * (pair ^ 1));
    return x;
}

/// One word for even pairs, one for odd ones; neighbours among these change places.
__device__ __forceinline__ u32 low_word(const u16* code, int parity)
{
    u32 x = 0;
    for (int k = 0; k < 4; k++) x |= pair_field(code, 2 * k + parity, 0, 15, 4 * (k ^ 1));
    return x;
}

__device__ __forceinline__ void write_word(u8* page, int at, u32 x) { *reinterpret_cast<u32*>(page + at) = x; }

__device__ __forceinline__ void write_keys(const Shared& shared, u8* page, int slot, int count)
{
    const int together = count == 1 ? 1 : logical_tokens, token = threadIdx.x % together;
    if (token >= count) return;
    const u16* code = shared.code[0][token];
    slot += token;
    if constexpr (KEY_BITS == 16)
        for (int word = threadIdx.x / together; word < channels / 2; word += threads / together)
            write_word(page, Page::high + Page::key_word(16, word, slot), code[2 * word] | u32(code[2 * word + 1]) << 16);
    else {
        constexpr int sixteens = channels / 16, eights = KEY_BITS == 8 ? channels / 8 : 0;
        for (int word = threadIdx.x / together; word < 2 * sixteens + eights; word += threads / together) {
            if (word < sixteens) write_word(page, Page::high + Page::key_word(2, word, slot), high_word(code + 16 * word));
            else if (word < 2 * sixteens) write_word(page, Page::middle + Page::key_word(2, word - sixteens, slot), middle_word(code + 16 * (word - sixteens)));
            else write_word(page, Page::low + Page::key_word(4, word - 2 * sixteens, slot), low_word(code + 16 * ((word - 2 * sixteens) / 2), word % 2));
        }
        if (int(threadIdx.x) < together) write_word(page, Page::key_scale + slot * 4, shared.scale[0][token]);
    }
}

/// The words of 4-bit values that this run's first tokens share with earlier ones; read early, for they come from afar.
constexpr int value_words = (channels + threads - 1) / threads;
__device__ __forceinline__ void read_value_words(u32 (&words)[value_words], const u8* page, int slot)
{
#pragma unroll
    for (int i = 0; i < value_words; i++) {
        const int c = threadIdx.x + i * threads;
        words[i] = 0;
        if (VALUE_BITS == 4 && slot % 8 && c < channels) words[i] = *reinterpret_cast<const u32*>(page + Page::value_group(c, slot)) & low_bits(slot % 8 * 4);
    }
}

__device__ __forceinline__ void write_values(const Shared& shared, u8* page, int slot, int count, const u32 (&words)[value_words])
{
#pragma unroll
    for (int i = 0; i < value_words; i++) {
        const int c = threadIdx.x + i * threads;
        if (c >= channels) break;
        for (int group = slot / 8; group * 8 < slot + count; group++) {
            const int first = max(slot, group * 8), last = min(slot + count, group * 8 + 8);
            u8* at = page + Page::value_group(c, group * 8);
            if constexpr (VALUE_BITS == 16)
                for (int s = first; s < last; s++) reinterpret_cast<u16*>(at)[s % 8] = shared.code[1][s - slot][c];
            else if constexpr (VALUE_BITS == 8)
                for (int s = first; s < last; s++) at[s % 8] = u8(shared.code[1][s - slot][c]);
            else {
                u32 word = first % 8 ? words[i] : 0;
                for (int s = first; s < last; s++) word |= u32(shared.code[1][s - slot][c]) << s % 8 * 4;
                *reinterpret_cast<u32*>(at) = word;
            }
        }
    }
    if constexpr (VALUE_BITS < 16)
        if (int(threadIdx.x) < count) write_word(page, Page::value_scale + (slot + threadIdx.x) * 4, shared.scale[1][threadIdx.x]);
}

/// Unlike fmaxf and fminf these don't lose what is no number.
__device__ __forceinline__ float max_or_nan(float a, float b) { float c; asm("max.NaN.f32 %0, %1, %2;" : "=f"(c) : "f"(a), "f"(b)); return c; }
__device__ __forceinline__ float min_or_nan(float a, float b) { float c; asm("min.NaN.f32 %0, %1, %2;" : "=f"(c) : "f"(a), "f"(b)); return c; }

/// Rounded and clamped. What is infinite or no number is none, so that it never chooses its page.
__device__ __forceinline__ f16 statistic(float x) { return fabsf(x) < -negative_infinity ? to_f16_clamped(x) : f16{0x7e00}; }

/// Merges the run's keys into the open logical page, channel by channel in token order; rounds it into the page when it is complete.
/// `firsts`, `seconds`: those it has so far, of the thread's channels.
__device__ __forceinline__ void keep_statistics(
    const AttentionAppendParams& p, u8* page, float* open, float (&firsts)[open_of_thread], float (&seconds)[open_of_thread], const Shared& shared, const TokenRun& run)
{
    const int before = run.position % logical_tokens, logical = run.position % page_tokens / logical_tokens;
#pragma unroll
    for (int i = 0; i < open_of_thread; i++) {
        const int c = threadIdx.x + i * threads;
        if (c >= HEAD_DIM) break;
        float first = firsts[i], second = seconds[i];
        for (int t = 0; t < run.count; t++) {
            const float x = shared.key[t][c];
            const int n = before + t + 1;
            if (p.statistics == 1) {
                first = n == 1 ? x : max_or_nan(first, x);
                second = n == 1 ? x : min_or_nan(second, x);
            } else {  // Welford's mean and sum of squared deviations
                const float delta = __fsub_rn(x, first);
                first = n == 1 ? x : __fadd_rn(first, __fdiv_rn(delta, float(n)));
                second = n == 1 ? 0 : __fadd_rn(second, __fmul_rn(delta, __fsub_rn(x, first)));
            }
        }
        if (before + run.count < logical_tokens) {
            open[c] = first;
            open[HEAD_DIM + c] = second;
            continue;
        }
        if (p.statistics == 2) second = __fsqrt_rn(__fdiv_rn(second, float(logical_tokens)));
        *reinterpret_cast<f16*>(page + Page::statistic(0, c, logical)) = statistic(first);
        *reinterpret_cast<f16*>(page + Page::statistic(1, c, logical)) = statistic(second);
    }
}

/// A warp's vector of a token: the key (which 0), the value (1) or a query. `turns`: of the run's first token.
__device__ __forceinline__ void turn_or_quantise(
    const AttentionAppendParams& p, Shared& shared, const TokenRun& run, const Turns& turns, int kv_head, int which, int token, int lane)
{
    const u64 row = u64(run.first_row + token) * p.row_stride;
    if (which == 1) {
        quantise<VALUE_BITS>(shared, 1, token, p.values + row + kv_head * HEAD_DIM, nullptr, lane);
        return;
    }
    if (which == 0) {
        const float* key = p.keys + row + kv_head * HEAD_DIM;
        if (p.inverse_frequencies) turn_head(p, key, shared.key[token], p.key_norm, token == 0 ? turns : Turns(p, run.position + token, lane), lane);
        else
            for (int c = lane; c < HEAD_DIM; c += 32) shared.key[token][c] = key[c];
        __syncwarp();
        quantise<KEY_BITS>(shared, 0, token, shared.key[token], p.centre + kv_head * HEAD_DIM, lane);
    } else if (p.inverse_frequencies) {
        float* query = p.queries + row + (kv_head * p.group + which - 2) * HEAD_DIM;
        turn_head(p, query, query, p.query_norm, token == 0 ? turns : Turns(p, run.position + token, lane), lane);
    }
}

extern "C" __global__ void __launch_bounds__(threads) attention_append(const AttentionAppendParams p)
{
    __shared__ Shared shared;
    const KvLayer& kv = p.kv;
    const int lane = threadIdx.x % 32, place = blockIdx.y;
    const TokenRun run = p.runs[blockIdx.x];
    const bool streaming = place >= kv.retrieval_heads;
    const int kv_head = kv.heads[place], slot_of_head = streaming ? place - kv.retrieval_heads : place;
    const int index = run.position / page_tokens, slot = run.position % page_tokens;
    u8* page = streaming ? kv.streaming + u64(kv.streaming_table[u64(run.sequence) * kv.streaming_width + ring_slot(index, kv.sink, kv.streaming_width)]) * kv.streaming_stride + u64(slot_of_head) * Page::streaming_bytes
                         : kv.retrieval + u64(kv.retrieval_table[u64(run.sequence) * kv.retrieval_width + index]) * kv.retrieval_stride + u64(slot_of_head) * kv.retrieval_bytes;

    u32 words[value_words];
    read_value_words(words, page, slot);
    const Turns turns(p, run.position, lane);
    wait_for_previous_kernel();
    let_next_kernel_start();

    const bool keeps = !streaming && p.statistics;
    float* open = p.open + (u64(run.sequence) * kv.state_heads + slot_of_head) * 2 * HEAD_DIM;
    float firsts[open_of_thread] = {}, seconds[open_of_thread] = {};
    for (int i = 0; i < open_of_thread; i++) {
        const int c = threadIdx.x + i * threads;
        if (!keeps || run.position % logical_tokens == 0 || c >= HEAD_DIM) continue;
        firsts[i] = open[c];
        seconds[i] = open[HEAD_DIM + c];
    }
    for (int task = threadIdx.x / 32; task < (2 + p.group) * run.count; task += warps) turn_or_quantise(p, shared, run, turns, kv_head, task / run.count, task % run.count, lane);
    __syncthreads();
    if (keeps) keep_statistics(p, page, open, firsts, seconds, shared, run);
    write_keys(shared, page, slot, run.count);
    write_values(shared, page, slot, run.count, words);
}
