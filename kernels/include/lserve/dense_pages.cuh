// Where a token's key and value lie in dense 16-bit pages.
#pragma once

#include <lserve/params.h>

namespace lserve {

constexpr int page_tokens = 64;

/// First channel of the key at `position`; the value lies page_tokens · D further.
__device__ __forceinline__ f16* key_at(const DensePages& kv, int line, int position, int head, int head_dim)
{
    const int page = kv.tables[static_cast<u64>(line) * kv.width + position / page_tokens];
    return kv.layer + ((static_cast<u64>(page) * kv.kv_heads + head) * 2 * page_tokens + position % page_tokens) * head_dim;
}

}  // namespace lserve
