#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "storage/store.hpp"

namespace mlps::vectordb {

/// The objects of one collection, all below a folder. Any thread may call anything: each call borrows a session.
class ObjectFiles {
 public:
  ObjectFiles(storage::Store& store, std::string folder) : store_(store), folder_(std::move(folder)) {}

  storage::Store& store() const { return store_; }
  std::string path(std::string_view name) const { return folder_ + "/" + std::string(name); }

  /// Stores an object as a whole, followed by its CRC-64; read_checked() returns the bytes without it. Damage is E606.
  Status write_checked(std::string_view name, std::vector<std::byte> bytes);
  Result<std::vector<std::byte>> read_checked(std::string_view name);

  /// Stores a large object part by part, as `fill(offset, part)` makes them; parts begin at multiples of `unit`.
  Status write_parts(std::string_view name, uint64_t size, uint64_t unit,
                     const std::function<void(uint64_t offset, std::span<std::byte> part)>& fill);

  Result<bool> is_there(std::string_view name);
  Status remove(std::string_view name);  ///< of an absent object: success
  Status remove_all();

 private:
  struct Loan;
  Result<std::unique_ptr<storage::Session>> borrow();
  void give_back(std::unique_ptr<storage::Session> session);

  storage::Store& store_;
  std::string folder_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<storage::Session>> idle_;
};

/// Waits for an operation that was submitted to a session in which nothing else is in flight.
Status finish_operation(storage::Session& session, storage::Operation& operation);

}  // namespace mlps::vectordb
