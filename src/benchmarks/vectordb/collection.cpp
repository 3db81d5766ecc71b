#include "benchmarks/vectordb/collection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/units.hpp"
#include "benchmarks/vectordb/binary.hpp"
#include "benchmarks/vectordb/kernels/kernels.hpp"

namespace mlps::vectordb {
namespace {

constexpr uint64_t kCollectionMark = 0x314c4f43'53504c4d;  // "MLPSCOL1"
constexpr uint64_t kSegmentMark = 0x31474553'53504c4d;     // "MLPSSEG1"
/// A segment is stored when it has so many bytes; this much may be pending beside it before that.
constexpr uint64_t kSegmentBytes = 32 * kMiB, kMostPending = 512 * kMiB;

struct SegmentHead {
  uint64_t mark = kSegmentMark;
  uint64_t dimension = 0;
  uint64_t first_key = 0;
  uint64_t rows = 0;
};

std::string segment_name(uint64_t first_key) {
  return fmt::format("rows-{:020}", first_key);
}

tl::unexpected<Error> damaged_collection(std::string_view what) {
  return fail(ErrorCode::kDataMismatch, fmt::format("the description of the collection can't be read: {}", what), {},
              "generate the collection again");
}

void put_segments(BinaryWriter& out, const std::vector<CollectionDescription::Segment>& segments) {
  out.put(uint64_t{segments.size()});
  out.put_all(std::span<const CollectionDescription::Segment>(segments));
}

bool take_segments(BinaryReader& in, std::vector<CollectionDescription::Segment>& segments) {
  segments = in.take_all<CollectionDescription::Segment>(in.take<uint64_t>());
  uint64_t end = 0;
  for (const auto& segment : segments) {
    if (segment.rows == 0 || segment.first_key < end || segment.rows > UINT64_MAX - segment.first_key) return false;
    end = segment.end();
  }
  return in.is_valid();
}

/// The numbers of a specification, in the order of the file.
template <class Spec, class Visit>
void visit_numbers(Spec& spec, const Visit& visit) {
  visit(spec.dimension), visit(spec.expected_rows), visit(spec.shards), visit(spec.max_degree);
  visit(spec.search_list_size), visit(spec.code_bytes), visit(spec.inline_codes), visit(spec.m);
  visit(spec.ef_construction), visit(spec.lists), visit(spec.seed);
}

}  // namespace

uint64_t CollectionDescription::rows() const {
  uint64_t sum = 0;
  for (const auto& segment : segments) sum += segment.rows;
  return sum;
}

std::vector<std::byte> serialise(const CollectionDescription& description) {
  BinaryWriter out;
  out.put(kCollectionMark);
  out.put_text(description.spec.name);
  out.put_text(metric_name(description.spec.metric));
  out.put_text(index_name(description.spec.index));
  visit_numbers(description.spec, [&](const auto& number) { out.put(number); });
  put_segments(out, description.segments);
  put_segments(out, description.indexed);
  out.put(description.indexed_rows);
  out.put(description.index_bytes);
  out.put(description.longest);
  return std::move(out.bytes());
}

Result<CollectionDescription> parse_collection(std::span<const std::byte> bytes) {
  BinaryReader in(bytes);
  if (in.take<uint64_t>() != kCollectionMark) return damaged_collection("it is none, or of another version");
  CollectionDescription description;
  description.spec.name = in.take_text(4096);
  const auto metric = metric_of(in.take_text(64));
  const auto index = index_of(in.take_text(64));
  if (!metric || !index) return damaged_collection("it names a metric or an index that is not known");
  description.spec.metric = *metric;
  description.spec.index = *index;
  visit_numbers(description.spec, [&]<class Number>(Number& number) { number = in.take<Number>(); });
  const bool fits = take_segments(in, description.segments) && take_segments(in, description.indexed);
  description.indexed_rows = in.take<uint64_t>();
  description.index_bytes = in.take<uint64_t>();
  description.longest = in.take<float>();
  if (!fits || !in.is_valid() || in.left() != 0 || description.spec.dimension == 0 ||
      !(description.longest > 0 && std::isfinite(description.longest))) {
    return damaged_collection("its parts do not fit together");
  }
  return description;
}

uint64_t SegmentWriter::end_of(const Run& run) const {
  return run.first_key + (run.bytes.size() - sizeof(SegmentHead)) / (dimension_ * sizeof(float));
}

Status SegmentWriter::add(uint64_t first_key, VectorView rows) {
  for (size_t i = 0; i < rows.rows(); ++i) {
    const float* row = rows.row(i).data();
    // An infinite or undefined element makes the sum of squares one; so do lengths beyond what a float holds.
    if (std::isfinite(kernels().dot(row, row, rows.dimension()))) continue;
    return fail(ErrorCode::kConfigInvalid,
                fmt::format("vector {} holds a value that is no number, or is too long", first_key + i));
  }
  Run full;
  {
    std::lock_guard lock(mutex_);
    Run run{first_key, {}};
    if (auto node = runs_.extract(first_key); !node.empty()) run = std::move(node.mapped());
    if (run.bytes.empty()) {
      run.bytes.reserve(kSegmentBytes + 2 * rows.values().size_bytes());
      run.bytes.resize(sizeof(SegmentHead));
    }
    const auto bytes = std::as_bytes(rows.values());
    run.bytes.insert(run.bytes.end(), bytes.begin(), bytes.end());
    pending_bytes_ += bytes.size();
    if (run.bytes.size() < kSegmentBytes && pending_bytes_ < kMostPending) {
      const uint64_t end = end_of(run);
      runs_.insert_or_assign(end, std::move(run));
      return {};
    }
    pending_bytes_ -= run.bytes.size() - sizeof(SegmentHead);
    full = std::move(run);
  }
  return store(std::move(full));
}

Status SegmentWriter::store(Run run) {
  const SegmentHead head{.dimension = dimension_, .first_key = run.first_key, .rows = end_of(run) - run.first_key};
  std::memcpy(run.bytes.data(), &head, sizeof head);
  if (auto written = files_.write_checked(segment_name(run.first_key), std::move(run.bytes)); !written) return written;
  std::lock_guard lock(mutex_);
  stored_.push_back({head.first_key, head.rows});
  return {};
}

Result<std::vector<CollectionDescription::Segment>> SegmentWriter::flush() {
  std::map<uint64_t, Run> runs;
  {
    std::lock_guard lock(mutex_);
    runs.swap(runs_);
    pending_bytes_ = 0;
  }
  for (auto& [end, run] : runs) {
    if (auto written = store(std::move(run)); !written) return fail(written.error());
  }
  std::lock_guard lock(mutex_);
  return std::exchange(stored_, {});
}

Status read_segment(ObjectFiles& files, const CollectionDescription::Segment& segment, uint32_t dimension,
                    uint32_t stride, std::span<float> out) {
  const std::string name = segment_name(segment.first_key);
  auto bytes = files.read_checked(name);
  if (!bytes) return fail(bytes.error());
  BinaryReader in(*bytes);
  const auto head = in.take<SegmentHead>();
  const size_t row_bytes = dimension * sizeof(float);
  if (!in.is_valid() || head.mark != kSegmentMark || head.dimension != dimension ||
      head.first_key != segment.first_key || head.rows != segment.rows || in.left() != segment.rows * row_bytes) {
    return fail(
        ErrorCode::kDataMismatch,
        fmt::format("{} is not the segment of this collection: it has {} rows from key {} on, where {} are expected",
                    files.path(name), head.rows, head.first_key, segment.rows));
  }
  for (uint64_t i = 0; i < segment.rows; ++i) {
    std::memcpy(out.data() + i * stride, bytes->data() + sizeof head + i * row_bytes, row_bytes);
  }
  return {};
}

}  // namespace mlps::vectordb
