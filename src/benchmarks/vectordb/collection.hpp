#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "benchmarks/vectordb/engine.hpp"
#include "benchmarks/vectordb/object_files.hpp"

namespace mlps::vectordb {

/// What a collection on storage is: the object `collection` of its folder. Written by create(), flush() and build().
struct CollectionDescription {
  /// One object with rows of neighbouring keys.
  struct Segment {
    uint64_t first_key = 0;
    uint64_t rows = 0;
    uint64_t end() const { return first_key + rows; }
  };
  CollectionSpec spec;
  std::vector<Segment> segments = {};  ///< by key
  uint64_t indexed_rows = 0;           ///< of a finished build
  std::vector<Segment> indexed = {};   ///< the segments that the index was built from
  uint64_t index_bytes = 0;
  float longest = 1;  ///< MetricSpace::longest of the build

  uint64_t rows() const;
};

std::vector<std::byte> serialise(const CollectionDescription& description);
/// For hostile input; E606 says what is wrong.
Result<CollectionDescription> parse_collection(std::span<const std::byte> bytes);

/// Rows on their way to storage, and back: rows of neighbouring keys are put together in objects of some MiB. Any
/// thread may call add().
class SegmentWriter {
 public:
  SegmentWriter(ObjectFiles& files, uint32_t dimension) : files_(files), dimension_(dimension) {}

  /// E102 for rows with a value that is no number.
  Status add(uint64_t first_key, VectorView rows);
  /// Stores what is pending. Returns the segments that were stored since the last call.
  Result<std::vector<CollectionDescription::Segment>> flush();

 private:
  struct Run {
    uint64_t first_key = 0;
    std::vector<std::byte> bytes;
  };
  Status store(Run run);
  uint64_t end_of(const Run& run) const;

  ObjectFiles& files_;
  uint32_t dimension_;
  std::mutex mutex_;
  std::map<uint64_t, Run> runs_;  ///< pending rows, by the key that would come next
  uint64_t pending_bytes_ = 0;
  std::vector<CollectionDescription::Segment> stored_;
};

/// Reads a segment's rows to `out`, rows * stride floats, of which each row takes the first `dimension`.
Status read_segment(ObjectFiles& files, const CollectionDescription::Segment& segment, uint32_t dimension,
                    uint32_t stride, std::span<float> out);

}  // namespace mlps::vectordb
