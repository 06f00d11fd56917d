// Plan of a step's decode attention: which block reads which part of which row's page list. One per step, for all layers.
//
// Shapes     position [R] → items of the retrieval heads and of the streaming heads, rows ascending, parts of a row consecutive
// Grid       1 block of 32 threads
// Reference  src/Cuda/Launch/AttentionPlan.cs, bit for bit
#include <lserve/async.cuh>

#include <lserve/attention/params.h>
#include <lserve/attention/visible.cuh>

using namespace lserve;

/// Writes the items of 32 rows, a lane's row having `entries` pages; returns the new count.
__device__ __forceinline__ int plan_rows(DecodeItem* items, int written, DecodeItem row, int entries, int lane)
{
    const int pages = split_pages(entries), splits = ceil_div(entries, pages);
    int before = splits;
    for (int step = 1; step < 32; step *= 2) {
        const int other = __shfl_up_sync(0xffffffff, before, step);
        if (lane >= step) before += other;
    }
    const int total = __shfl_sync(0xffffffff, before, 31);
    DecodeItem* mine = items + written + before - splits;
    for (int s = 0; s < splits; s++) mine[s] = {row.row, row.sequence, row.position, s * pages, min(pages, entries - s * pages), s, splits, row.dense};
    return written + total;
}

extern "C" __global__ void __launch_bounds__(32) attention_plan(const AttentionPlanParams p)
{
    wait_for_previous_kernel();
    let_next_kernel_start();
    const int lane = threadIdx.x;
    int retrieval = 0, streaming = 0;
    for (int first = 0; first < p.rows; first += 32) {
        const bool there = first + lane < p.rows;
        DecodeItem row = {first + lane};
        if (there) {
            row.position = p.position[row.row];
            row.sequence = p.sequence[row.row];
            row.dense = p.mode[row.row] == dense_row;
        }
        const int pages = row.position / page_tokens + 1;
        retrieval = plan_rows(p.retrieval, retrieval, row, !there ? 0 : p.keep && !row.dense ? min(p.keep, pages) : pages, lane);
        streaming = plan_rows(p.streaming, streaming, row, there ? Window(row.position, p.sink, row.dense ? everything : p.local).entries : 0, lane);
    }
    if (lane == 0) {
        p.counts[0] = retrieval;
        p.counts[1] = streaming;
    }
}
