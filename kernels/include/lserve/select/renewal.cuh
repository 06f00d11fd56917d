// When a row's choice is renewed, and which pages are always in it.
#pragma once

#include <lserve/attention/kv_page.cuh>
#include <lserve/attention/params.h>

namespace lserve {

__device__ __forceinline__ bool must_renew(int position, int first_after_prompt, int interval)
{
    return position == first_after_prompt || position % interval == 0 || position % page_tokens == 0;
}

__device__ __forceinline__ bool is_forced(const SelectParams& p, int page, int pages) { return page < p.sink_pages || page >= pages - p.recent_pages; }

}  // namespace lserve
