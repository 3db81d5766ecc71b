#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "benchmarks/vectordb/engine.hpp"
#include "benchmarks/vectordb/object_files.hpp"
#include "storage/store.hpp"

namespace mlps::vectordb {

/// Reads ranges of one object, those of a call all at once. Used by one thread, except cancel().
class ObjectReads {
 public:
  struct Range {
    uint64_t offset = 0;
    uint64_t bytes = 0;
    uint64_t tag = 0;  ///< for the caller's use
    std::byte* to = nullptr;
  };

  ObjectReads(storage::Object& object, std::unique_ptr<storage::Session> session, bool blocking)
      : object_(&object), session_(std::move(session)), blocking_(blocking) {}

  /// Counts reads, bytes, one round, and the time until all have come as waiting.
  Status read(std::span<const Range> ranges, QueryCost& cost);
  void cancel() { session_->cancel(); }

  static constexpr unsigned kDepth = 128;

 private:
  size_t collect(size_t least);

  storage::Object* object_;
  std::unique_ptr<storage::Session> session_;
  bool blocking_;
  std::vector<storage::Operation> operations_;
  std::vector<storage::Operation*> done_;
};

/// An object of a collection that is read in ranges for as long as this lives. After open() any thread may call
/// open_reads(); what it returns must not outlive this.
class ReadableObject {
 public:
  /// Ranges begin at multiples of `unit` and have multiples of it.
  ReadableObject(ObjectFiles& files, std::string_view name, uint64_t size, uint64_t unit);
  ~ReadableObject();
  ReadableObject(const ReadableObject&) = delete;
  ReadableObject& operator=(const ReadableObject&) = delete;

  /// E105 for a store that reads in larger units, E606 for an object of another size.
  Status open();
  Result<std::unique_ptr<ObjectReads>> open_reads();

 private:
  storage::Store& store_;
  uint64_t unit_;
  std::unique_ptr<storage::Object> object_;
  std::unique_ptr<storage::Session> keeper_;  ///< there while the object is open
};

}  // namespace mlps::vectordb
