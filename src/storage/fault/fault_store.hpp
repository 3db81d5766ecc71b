#pragma once

#include <memory>
#include <string_view>

#include "storage/store.hpp"

namespace mlps::storage {

/// Wraps `inner` and breaks chosen operations on their way, so that every benchmark can be broken without a server.
/// `spec` is a comma-separated list of `kind:op[:object-substring][@n]`: the n-th (default first) operation of that
/// sort meets the fault. Kinds: reset, error500, slowdown (retryable at the backend: count as attempts), denied,
/// short (fewer bytes than asked), lost (a part is acknowledged but not stored), flip (one bit of the data flipped),
/// full (no space left), slow (an extra delay), hang (completes only on cancel). Ops: names of op_name(). E102 names
/// the wrong word and the legal ones.
Result<std::unique_ptr<Store>> open_fault_store(std::unique_ptr<Store> inner, std::string_view spec, uint64_t seed);

}  // namespace mlps::storage
