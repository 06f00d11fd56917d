// Which pages are always in a row's choice.
#pragma once

#include <lserve/attention/params.h>

namespace lserve {

__device__ __forceinline__ bool is_forced(const SelectParams& p, int page, int pages) { return page < p.sink_pages || page >= pages - p.recent_pages; }

}  // namespace lserve
