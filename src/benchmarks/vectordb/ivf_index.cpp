#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <string>
#include <utility>

#include "base/aligned_buffer.hpp"
#include "base/crc.hpp"
#include "base/threads.hpp"
#include "base/units.hpp"
#include "benchmarks/vectordb/binary.hpp"
#include "benchmarks/vectordb/index.hpp"
#include "benchmarks/vectordb/kernels/kernels.hpp"
#include "benchmarks/vectordb/object_reads.hpp"
#include "payload/mix.hpp"

// IVF: rows in lists by the nearest of some centres; a search reads the lists of the centres nearest to the query, all
// at once. Centres are in memory, lists on storage: one range of `index.lists` each, which begins at a multiple of 4
// KiB. A list: for each row its key, then for each row its elements (float, or one byte each with IVF_SQ8), then a
// CRC-32C.
namespace mlps::vectordb {
namespace {

constexpr std::string_view kListFile = "index.lists", kCentreFile = "index.centres";
constexpr uint64_t kIvfMark = 0x31465649'53504c4d;  // "MLPSIVF1"
constexpr uint64_t kListUnit = 4096;
constexpr uint32_t kMostLists = 1U << 20;
constexpr int kCentreRounds = 10;
constexpr uint32_t kSamplesPerList = 64;

/// What of an index is in memory.
struct IvfTable {
  uint32_t dimension = 0;
  bool is_coded = false;
  uint64_t number = 0;
  std::vector<float> centres = {};         ///< list after list
  std::vector<uint32_t> sizes = {};        ///< rows of each list
  std::vector<float> low = {}, step = {};  ///< of each element's byte with IVF_SQ8
  std::vector<uint64_t> offsets = {};      ///< of each list in the file, and its end; follows from the sizes

  uint32_t lists() const { return static_cast<uint32_t>(sizes.size()); }
  VectorView centre_view() const { return {centres, dimension}; }
  uint64_t row_bytes() const { return sizeof(uint64_t) + dimension * (is_coded ? 1 : sizeof(float)); }
  uint64_t list_bytes(uint32_t list) const { return sizes[list] * row_bytes() + sizeof(uint32_t); }
  void place_lists() {
    offsets.assign(1, 0);
    for (uint32_t i = 0; i < lists(); ++i)
      offsets.push_back(offsets.back() + (list_bytes(i) + kListUnit - 1) / kListUnit * kListUnit);
  }
  uint64_t bytes() const { return offsets.back(); }
  uint32_t checksum(uint32_t list, const std::byte* content) const {
    const std::array<uint64_t, 2> place{number, list};
    return crc32c({content, list_bytes(list) - sizeof(uint32_t)}, crc32c(std::as_bytes(std::span(place))));
  }
};

std::vector<std::byte> serialise_ivf(const IvfTable& table) {
  BinaryWriter out;
  out.put(kIvfMark);
  out.put(table.number);
  out.put(table.dimension);
  out.put(uint32_t{table.is_coded});
  out.put(table.lists());
  out.put_all(std::span<const uint32_t>(table.sizes));
  for (const auto* values : {&table.centres, &table.low, &table.step}) out.put_all(std::span<const float>(*values));
  return std::move(out.bytes());
}

Result<IvfTable> parse_ivf(std::span<const std::byte> bytes) {
  BinaryReader in(bytes);
  IvfTable table;
  const bool is_marked = in.take<uint64_t>() == kIvfMark;
  table.number = in.take<uint64_t>();
  table.dimension = in.take<uint32_t>();
  table.is_coded = in.take<uint32_t>() != 0;
  const auto lists = in.take<uint32_t>();
  if (is_marked && in.is_valid() && table.dimension >= 1 && table.dimension <= kMaxDimension + 1 && lists >= 1 &&
      lists <= kMostLists) {
    table.sizes = in.take_all<uint32_t>(lists);
    table.centres = in.take_all<float>(uint64_t{lists} * table.dimension);
    const uint64_t coded = table.is_coded ? table.dimension : 0;
    table.low = in.take_all<float>(coded);
    table.step = in.take_all<float>(coded);
    if (in.is_valid() && in.left() == 0) {
      table.place_lists();
      return table;
    }
  }
  return fail(ErrorCode::kDataMismatch, "the index can't be read: it is no IVF index, or its sizes do not fit together",
              {}, "build the index again");
}

uint32_t nearest_list(const IvfTable& table, const float* row) {
  uint32_t best = 0;
  float least = std::numeric_limits<float>::infinity();
  for (uint32_t i = 0; i < table.lists(); ++i) {
    const float distance =
        kernels().square_distance(row, table.centres.data() + size_t{i} * table.dimension, table.dimension);
    if (distance < least) best = i, least = distance;
  }
  return best;
}

class IvfBuilder {
 public:
  IvfBuilder(const IndexInput& input, ObjectFiles& files) : input_(input), files_(files) {
    table_.dimension = input.rows.dimension();
    table_.is_coded = input.spec.index == IndexKind::kIvfSq8;
    table_.number =
        payload::mix64(static_cast<uint64_t>(Stamp::now().wall_us)) ^ payload::mix64(static_cast<uint64_t>(now_ns()));
  }

  Result<uint64_t> build() {
    const auto lists = static_cast<uint32_t>(std::min<size_t>(input_.spec.lists, input_.rows.rows()));
    if (auto done = find_centres(lists); !done) return fail(done.error());
    if (auto done = assign(input_.rows, of_row_, "lists"); !done) return fail(done.error());
    table_.sizes.assign(lists, 0);
    for (const uint32_t list : of_row_) ++table_.sizes[list];
    table_.place_lists();
    if (table_.is_coded) find_steps();
    if (auto stored = store(); !stored) return fail(stored.error());
    auto bytes = serialise_ivf(table_);
    const uint64_t size = bytes.size() + table_.bytes();
    if (auto written = files_.write_checked(kCentreFile, std::move(bytes)); !written) return fail(written.error());
    return size;
  }

 private:
  /// Finds the nearest list of each row.
  Status assign(VectorView rows, std::vector<uint32_t>& lists, std::string_view step) {
    lists.resize(rows.rows());
    std::atomic<size_t> next = 0;
    const auto is_stopped = [&] { return input_.options.stop != nullptr && *input_.options.stop; };
    auto ran = run_on_threads(std::max(1U, input_.options.threads), {.name = "list threads"}, [&](size_t) {
      constexpr size_t kShare = 256;
      for (size_t at; (at = next.fetch_add(kShare)) < rows.rows() && !is_stopped();) {
        for (size_t i = at; i < std::min(at + kShare, rows.rows()); ++i)
          lists[i] = nearest_list(table_, rows.row(i).data());
        if (input_.options.progress) input_.options.progress(step, at, rows.rows());
      }
    });
    if (ran && is_stopped()) return fail(ErrorCode::kInterrupted, "build of the index: stopped before its end");
    return ran;
  }

  /// k-means over a sample of the rows.
  Status find_centres(uint32_t lists) {
    const size_t count = std::min<size_t>(input_.rows.rows(), size_t{lists} * kSamplesPerList);
    VectorBlock sample(table_.dimension, count);
    for (size_t i = 0; i < count; ++i) {
      const auto row = input_.rows.row(i * input_.rows.rows() / count);
      std::copy(row.begin(), row.end(), sample.row(i).begin());
    }
    table_.sizes.assign(lists, 0);
    for (uint32_t i = 0; i < lists; ++i) {
      const auto row = sample.row(i * count / lists);
      table_.centres.insert(table_.centres.end(), row.begin(), row.end());
    }
    std::vector<uint32_t> nearest;
    for (int round = 0; round < kCentreRounds; ++round) {
      if (auto assigned = assign(sample.view(), nearest, "centres"); !assigned) return assigned;
      move_centres(sample.view(), nearest, round);
    }
    return {};
  }

  void move_centres(VectorView sample, const std::vector<uint32_t>& nearest, int round) {
    std::vector<double> sums(table_.centres.size());
    std::vector<size_t> members(table_.lists());
    for (size_t i = 0; i < sample.rows(); ++i) {
      ++members[nearest[i]];
      for (uint32_t d = 0; d < table_.dimension; ++d)
        sums[size_t{nearest[i]} * table_.dimension + d] += double{sample.row(i)[d]};
    }
    for (uint32_t list = 0; list < table_.lists(); ++list) {
      const size_t other =
          payload::mix64(input_.spec.seed ^ (uint64_t{list} << 8 | static_cast<uint64_t>(round))) % sample.rows();
      for (uint32_t d = 0; d < table_.dimension; ++d) {
        const size_t at = size_t{list} * table_.dimension + d;
        table_.centres[at] = members[list] == 0 ? sample.row(other)[d]
                                                : static_cast<float>(sums[at] / static_cast<double>(members[list]));
      }
    }
  }

  void find_steps() {
    const uint32_t size = table_.dimension;
    table_.low.assign(size, std::numeric_limits<float>::infinity());
    std::vector<float> high(size, -std::numeric_limits<float>::infinity());
    for (size_t i = 0; i < input_.rows.rows(); ++i) {
      for (uint32_t d = 0; d < size; ++d) {
        table_.low[d] = std::min(table_.low[d], input_.rows.row(i)[d]);
        high[d] = std::max(high[d], input_.rows.row(i)[d]);
      }
    }
    for (uint32_t d = 0; d < size; ++d) table_.step.push_back(std::max((high[d] - table_.low[d]) / 255, 1e-30F));
  }

  void fill_list(uint32_t list, std::byte* out) const {
    std::byte* at = out;
    const auto rows = std::span(by_list_).subspan(first_[list], table_.sizes[list]);
    for (const uint32_t row : rows)
      std::memcpy(std::exchange(at, at + sizeof(uint64_t)), &input_.keys[row], sizeof(uint64_t));
    for (const uint32_t row : rows) {
      const auto values = input_.rows.row(row);
      if (!table_.is_coded) {
        std::memcpy(std::exchange(at, at + values.size_bytes()), values.data(), values.size_bytes());
        continue;
      }
      for (uint32_t d = 0; d < table_.dimension; ++d) {
        *at++ = static_cast<std::byte>(std::lround((values[d] - table_.low[d]) / table_.step[d]));
      }
    }
    const uint32_t checksum = table_.checksum(list, out);
    std::memcpy(at, &checksum, sizeof checksum);
  }

  Status store() {
    by_list_.resize(of_row_.size());
    std::iota(by_list_.begin(), by_list_.end(), 0U);
    std::stable_sort(by_list_.begin(), by_list_.end(), [&](uint32_t a, uint32_t b) { return of_row_[a] < of_row_[b]; });
    first_.assign(1, 0);
    for (const uint32_t size : table_.sizes) first_.push_back(first_.back() + size);
    // A part may begin and end inside of a list: lists that it touches are made whole, and cut.
    std::vector<std::byte> whole;
    return files_.write_parts(kListFile, table_.bytes(), kListUnit, [&](uint64_t offset, std::span<std::byte> part) {
      const uint64_t end = offset + part.size();
      auto list = static_cast<uint32_t>(std::upper_bound(table_.offsets.begin(), table_.offsets.end(), offset) -
                                        table_.offsets.begin() - 1);
      for (; list < table_.lists() && table_.offsets[list] < end; ++list) {
        whole.assign(table_.offsets[list + 1] - table_.offsets[list], std::byte{});
        fill_list(list, whole.data());
        const uint64_t from = std::max(offset, table_.offsets[list]), to = std::min(end, table_.offsets[list + 1]);
        std::memcpy(part.data() + (from - offset), whole.data() + (from - table_.offsets[list]), to - from);
      }
    });
  }

  const IndexInput& input_;
  ObjectFiles& files_;
  IvfTable table_;
  std::vector<uint32_t> of_row_, by_list_;
  std::vector<uint64_t> first_;
};

class IvfSearch final : public IndexSearch {
 public:
  IvfSearch(const IvfTable& table, std::unique_ptr<ObjectReads> reads)
      : table_(table), reads_(std::move(reads)), row_(table.dimension) {}

  Status search(std::span<const float> query, const SearchParams& params, std::vector<FoundRow>& found,
                QueryCost& cost) override {
    choose_lists(query, params.effort);
    found.clear();
    // Some lists at a time, so that memory stays within bounds whatever their number.
    for (size_t at = 0; at < chosen_.size();) {
      wanted_.clear();
      uint64_t bytes = 0;
      for (; at < chosen_.size() && (wanted_.empty() || bytes < kMostBytes); ++at) {
        const uint32_t list = chosen_[at].second;
        wanted_.push_back({table_.offsets[list], table_.offsets[list + 1] - table_.offsets[list], list, nullptr});
        bytes += wanted_.back().bytes;
      }
      if (auto done = scan(query, params, bytes, found, cost); !done) return done;
    }
    std::sort_heap(found.begin(), found.end(), FlatRows::is_nearer);
    return {};
  }
  void cancel() override { reads_->cancel(); }

 private:
  static constexpr uint64_t kMostBytes = 16 * kMiB;

  void choose_lists(std::span<const float> query, uint32_t count) {
    chosen_.clear();
    for (uint32_t i = 0; i < table_.lists(); ++i) {
      if (table_.sizes[i] == 0) continue;
      chosen_.emplace_back(kernels().square_distance(query.data(), table_.centres.data() + size_t{i} * table_.dimension,
                                                     table_.dimension),
                           i);
    }
    const size_t most = std::min<size_t>(std::max(1U, count), chosen_.size());
    std::partial_sort(chosen_.begin(), chosen_.begin() + static_cast<ptrdiff_t>(most), chosen_.end());
    chosen_.resize(most);
  }

  Status scan(std::span<const float> query, const SearchParams& params, uint64_t bytes, std::vector<FoundRow>& found,
              QueryCost& cost) {
    if (buffer_.size() < bytes) {
      auto larger = AlignedBuffer::allocate(bytes);
      if (!larger) return fail(larger.error());
      buffer_ = std::move(*larger);
    }
    std::byte* at = buffer_.data();
    for (auto& read : wanted_) read.to = std::exchange(at, at + read.bytes);
    if (auto done = reads_->read(wanted_, cost); !done) return done;
    for (const auto& read : wanted_) {
      const auto list = static_cast<uint32_t>(read.tag);
      uint32_t checksum;
      std::memcpy(&checksum, read.to + table_.list_bytes(list) - sizeof checksum, sizeof checksum);
      if (checksum != table_.checksum(list, read.to)) {
        return fail(ErrorCode::kDataMismatch,
                    fmt::format("list {} of the index is damaged, or of another index: its checksum is wrong", list),
                    {}, "build the index again");
      }
      compare(query, params, list, read.to, found, cost);
    }
    return {};
  }

  void compare(std::span<const float> query, const SearchParams& params, uint32_t list, const std::byte* content,
               std::vector<FoundRow>& found, QueryCost& cost) {
    const uint32_t rows = table_.sizes[list];
    const std::byte* elements = content + rows * sizeof(uint64_t);
    const size_t stride = table_.row_bytes() - sizeof(uint64_t);
    for (uint32_t i = 0; i < rows; ++i) {
      uint64_t key;
      std::memcpy(&key, content + i * sizeof key, sizeof key);
      if (!params.filter.contains(key)) continue;
      ++cost.scored;
      const FoundRow row{kernels().square_distance(query.data(), decoded(elements + i * stride), table_.dimension),
                         key};
      add_nearest_row(row, params.k, found);
    }
  }

  const float* decoded(const std::byte* row) {
    if (!table_.is_coded) return reinterpret_cast<const float*>(row);
    for (uint32_t d = 0; d < table_.dimension; ++d) {
      row_[d] = table_.low[d] + table_.step[d] * static_cast<float>(std::to_integer<uint8_t>(row[d]));
    }
    return row_.data();
  }

  const IvfTable& table_;
  std::unique_ptr<ObjectReads> reads_;
  std::vector<float> row_;
  std::vector<std::pair<float, uint32_t>> chosen_;
  std::vector<ObjectReads::Range> wanted_;
  AlignedBuffer buffer_;
};

class IvfIndex final : public LoadedIndex {
 public:
  IvfIndex(IvfTable table, ObjectFiles& files)
      : table_(std::move(table)), object_(files, kListFile, table_.bytes(), kListUnit) {}
  Status open() { return object_.open(); }
  Result<std::unique_ptr<IndexSearch>> open_search() override {
    auto reads = object_.open_reads();
    if (!reads) return fail(reads.error());
    return std::make_unique<IvfSearch>(table_, std::move(*reads));
  }
  uint64_t memory_bytes() const override {
    return table_.centres.size() * sizeof(float) + table_.sizes.size() * (sizeof(uint32_t) + sizeof(uint64_t));
  }

 private:
  IvfTable table_;
  ReadableObject object_;
};

}  // namespace

Result<uint64_t> build_ivf(const IndexInput& input, ObjectFiles& files) {
  if (auto removed = files.remove(kCentreFile); !removed) return fail(removed.error());
  return IvfBuilder(input, files).build();
}

Result<std::unique_ptr<LoadedIndex>> load_ivf(const CollectionSpec& spec, uint32_t stored_dimension,
                                              ObjectFiles& files) {
  auto bytes = files.read_checked(kCentreFile);
  if (!bytes) return fail(bytes.error());
  auto table = parse_ivf(*bytes);
  if (!table) return fail(table.error());
  if (table->dimension != stored_dimension || table->is_coded != (spec.index == IndexKind::kIvfSq8)) {
    return fail(ErrorCode::kDataMismatch, fmt::format("{} is of another collection", files.path(kCentreFile)));
  }
  auto loaded = std::make_unique<IvfIndex>(std::move(*table), files);
  if (auto opened = loaded->open(); !opened) return fail(opened.error());
  return loaded;
}

}  // namespace mlps::vectordb
