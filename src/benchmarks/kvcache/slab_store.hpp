#pragma once

#include <memory>

#include "storage/store.hpp"

namespace mlps::kvcache {

/// Returns a store that keeps blocks in the slots of large files instead of files of their own: `slab_0000.kv` and so
/// on, in the folder of the block's name. Each slot has `block_bytes`; a slab has kSlabBytes or, if that is less, room
/// for kFewestSlots. A slab's room is reserved when it is begun, and it stays until it is removed by its name. A block
/// is not synced: a cache needs no more. Listing, and removing and putting what isn't a block, are the `inner` store's,
/// which must outlive this one, and whose root must be a folder. With `direct`, O_DIRECT. Blocking: parallelism means
/// threads.
std::unique_ptr<storage::Store> make_slab_store(storage::Store& inner, uint64_t block_bytes, bool direct);

inline constexpr uint64_t kSlabBytes = uint64_t{1} << 30;
inline constexpr uint64_t kFewestSlots = 8;

}  // namespace mlps::kvcache
