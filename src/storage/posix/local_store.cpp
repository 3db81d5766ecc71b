#include "storage/posix/local_store.hpp"

#include <algorithm>
#include <utility>

#include "storage/posix/transfer.hpp"

namespace mlps::storage::posix {

LocalStore::LocalStore(const Location& root, IoMode mode)
    : root_(root), tree_(root.path().empty() ? "/" : root.path()), mode_(mode) {}

std::unique_ptr<Object> LocalStore::object(ObjectSpec spec) {
  // A part of zero bytes would be endless; an object without parts wanted goes in one piece.
  const uint64_t wanted = spec.part_bytes != 0 ? spec.part_bytes : std::max<uint64_t>(spec.size_bytes, 1);
  Result<std::string> path = tree_.path_of(spec.name);
  return std::make_unique<LocalObject>(std::move(spec), round_up(wanted, mode_.alignment), std::move(path), mode_);
}

Result<std::optional<Capacity>> LocalStore::capacity() const {
  Result<Capacity> capacity = tree_.capacity();
  if (!capacity) return fail(std::move(capacity.error()));
  return *capacity;
}

}  // namespace mlps::storage::posix
