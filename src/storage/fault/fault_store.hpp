#pragma once

#include <memory>
#include <string_view>

#include "storage/store.hpp"

namespace mlps::storage {

/// Wraps `inner` and makes chosen operations fail, slow down or move wrong bytes, so that every benchmark can be tested
/// against faults without a server.
/// `spec` is a comma-separated list of faults, each
///
///   kind[=number]:operation[:object-substring][@n[+]]
///
/// The n-th (default first) operation of that kind on an object whose name contains the substring gets the fault; with
/// '+', all from the n-th on do. Counting is over all sessions of the store. Operations have the names of op_name().
///
///   reset     the connection breaks, E601       | number: failed attempts (default 5). The wrapper plays a backend of
///   error500  the server fails, E605            | five attempts: with less it goes on after them, and they show in
///   slowdown  503, E604; number defaults to 2   | Operation::attempts and retried_bytes
///   denied    E602
///   short     succeeds with half the bytes (write_part, read_part): Operation::bytes tells, and nothing else
///   lost      acknowledged, never done (write_part, commit_write)
///   flip      one bit of the data flipped, chosen by `seed`, object and part (write_part, read_part)
///   full      E403 (begin_write, write_part, commit_write)
///   slow      completes late; number: milliseconds (default 100)
///   rate      bodies pass one after the other at so many bytes per second (write_part, read_part): rate=100MiB; of all
///             sessions of the store together, and, with or without '+', from the n-th operation on
///   hang      completes only on cancel(), with E203 (not for abort_write and end_read, which survive a cancel)
///
/// E102 names the wrong word and the legal ones.
Result<std::unique_ptr<Store>> open_fault_store(std::unique_ptr<Store> inner, std::string_view spec, uint64_t seed);

}  // namespace mlps::storage
