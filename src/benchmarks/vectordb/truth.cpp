#include "benchmarks/vectordb/truth.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <optional>
#include <utility>

#include "base/aligned_buffer.hpp"
#include "base/crc.hpp"
#include "base/threads.hpp"
#include "benchmarks/vectordb/binary.hpp"
#include "benchmarks/vectordb/kernels/kernels.hpp"

namespace mlps::vectordb {
namespace {

/// A block of packed rows of this size stays in the level 2 cache while all queries pass.
constexpr size_t kBlockBytes = size_t{1} << 20;
constexpr size_t kBlockElements = 256;
/// The products of tiles select candidates, whose scores are then computed anew, each by itself, so that equal vectors
/// have equal scores. This share of the lengths is more than the rounding of the two ways can differ.
constexpr float kMargin = 1e-5F;

float length_of(const float* row, size_t dimension) {
  return std::sqrt(kernels().dot(row, row, dimension));
}

/// The best candidates of one query so far: at most twice as many as wanted, cut when they are full.
class Candidates {
 public:
  explicit Candidates(uint32_t k) : k_(k) { found_.reserve(2 * size_t{k}); }

  /// No row with a lower score can be among the best; -infinity as long as fewer than k are known.
  float limit() const { return limit_; }
  void add(Neighbour row) {
    if (row.score < limit_) return;
    found_.push_back(row);
    if (found_.size() == 2 * size_t{k_}) cut();
  }
  void merge(const Candidates& other) {
    for (const auto& row : other.found_) add(row);
  }
  /// Returns at most k, nearest first.
  std::span<const Neighbour> sorted() {
    std::sort(found_.begin(), found_.end(), nearer);
    return std::span(found_).first(std::min<size_t>(k_, found_.size()));
  }

 private:
  static bool nearer(const Neighbour& a, const Neighbour& b) {
    return a.score != b.score ? a.score > b.score : a.key < b.key;
  }
  void cut() {
    std::nth_element(found_.begin(), found_.begin() + k_ - 1, found_.end(), nearer);
    found_.resize(k_);
    limit_ = found_.back().score;
  }

  uint32_t k_;
  float limit_ = -std::numeric_limits<float>::infinity();
  std::vector<Neighbour> found_;
};

/// Queries in tiles, as Kernels::product_tile() takes them; divided by their lengths for the cosine.
class PackedQueries {
 public:
  PackedQueries(VectorView queries, Metric metric) : queries_(queries), rows_(queries.dimension(), queries.rows()) {
    const size_t tile = kernels().tile_queries, dimension = queries.dimension();
    packed_.resize((queries.rows() + tile - 1) / tile * tile * dimension);
    for (size_t q = 0; q < queries.rows(); ++q) {
      const float size = length_of(queries.row(q).data(), dimension);
      const float scale = metric != Metric::kCosine ? 1 : size > 0 ? 1 / size : 0;
      lengths_.push_back(size * scale);
      for (size_t d = 0; d < dimension; ++d) {
        const float value = queries.row(q)[d] * scale;
        rows_.row(q)[d] = value;
        packed_[q / tile * tile * dimension + d * tile + q % tile] = value;
      }
    }
  }

  size_t count() const { return queries_.rows(); }
  const float* tile(size_t first_query) const { return packed_.data() + first_query * rows_.dimension; }
  const float* row(size_t query) const { return rows_.view().row(query).data(); }
  float length(size_t query) const { return lengths_[query]; }

 private:
  VectorView queries_;
  VectorBlock rows_;
  std::vector<float> packed_;
  std::vector<float> lengths_;
};

/// One thread's share of the work: takes blocks of rows and compares them with all queries.
class TruthWorker {
 public:
  TruthWorker(const VectorSource& base, const PackedQueries& queries, const TruthOptions& options, size_t block_rows)
      : base_(base),
        queries_(queries),
        options_(options),
        rows_(base.dimension(), block_rows),
        packed_(block_rows * base.dimension()),
        bias_(block_rows),
        found_(queries.count(), Candidates(options.k)),
        products_(padded_queries() * kernels().tile_rows),
        limits_(padded_queries(), std::numeric_limits<float>::infinity()) {}

  Status work_on(uint64_t first, size_t count) {
    const size_t dimension = base_.dimension();
    if (auto read = base_.read(first, std::span(rows_.values).first(count * dimension)); !read) return read;
    first_ = first, count_ = count;
    pack();
    for (size_t r = 0; r < count; r += kernels().tile_rows) compare_tile(r);
    return {};
  }

  std::vector<Candidates>& found() { return found_; }

 private:
  size_t padded_queries() const { return queries_.count() + kernels().tile_queries; }

  /// Divides rows by their lengths for the cosine, and brings them into the order of tiles. Rows of a last, partial
  /// tile are zeros, with a bias that keeps them below every limit.
  void pack() {
    const size_t dimension = base_.dimension(), tile = kernels().tile_rows;
    longest_ = 0;
    for (size_t r = 0; r < (count_ + tile - 1) / tile * tile; ++r) {
      float* row = rows_.row(r).data();
      const float size = r < count_ ? length_of(row, dimension) : 0;
      const float scale = r >= count_ ? 0 : options_.metric != Metric::kCosine ? 1 : size > 0 ? 1 / size : 0;
      longest_ = std::max(longest_, size * scale);
      bias_[r] = options_.metric == Metric::kL2 ? -size * size / 2 : 0;
      if (r >= count_) bias_[r] = -std::numeric_limits<float>::infinity();
      if (scale != 1) {
        for (size_t d = 0; d < dimension; ++d) row[d] = scale == 0 ? 0 : row[d] * scale;
      }
    }
    for (size_t first = 0; first < count_; first += tile) {
      float* out = packed_.data() + first * dimension;
      for (size_t d = 0; d < dimension; ++d) {
        for (size_t r = 0; r < tile; ++r) *out++ = rows_.values[(first + r) * dimension + d];
      }
    }
  }

  /// The lowest product (with bias) that can belong to a row as near as `score`.
  float product_limit(size_t query, float score) const {
    const float size = queries_.length(query);
    if (options_.metric != Metric::kL2) return score - kMargin * size * longest_;
    return (score + size * size) / 2 - kMargin * (size * size + longest_ * longest_);
  }

  /// Compares a tile of rows with all queries, some elements at a time: so many of the rows stay in the level 1 cache.
  void compare_tile(size_t first_row) {
    const size_t tile = kernels().tile_queries, tile_rows = kernels().tile_rows, dimension = base_.dimension();
    for (size_t q = 0; q < queries_.count(); ++q) {
      std::copy_n(bias_.data() + first_row, tile_rows, products_.data() + q * tile_rows);
      limits_[q] = product_limit(q, found_[q].limit());
    }
    for (size_t d = 0; d < dimension; d += kBlockElements) {
      const size_t elements = std::min(kBlockElements, dimension - d);
      for (size_t q = 0; q < queries_.count(); q += tile) {
        const uint32_t above =
            kernels().product_tile(packed_.data() + first_row * dimension + d * tile_rows, queries_.tile(q) + d * tile,
                                   elements, limits_.data() + q, products_.data() + q * tile_rows);
        if (above != 0 && d + elements == dimension) score_tile(q, first_row, above);
      }
    }
  }

  /// Scores the rows above the limits of those queries of a tile that have a bit in `above`.
  void score_tile(size_t first_query, size_t first_row, uint32_t above) {
    for (; above != 0; above &= above - 1) {
      const size_t q = first_query + static_cast<size_t>(__builtin_ctz(above));
      for (size_t r = 0; r < kernels().tile_rows; ++r) {
        if (products_[q * kernels().tile_rows + r] > limits_[q]) score_row(q, first_row + r);
      }
    }
  }

  void score_row(size_t query, size_t r) {
    const float* row = rows_.row(r).data();
    const float score = options_.metric == Metric::kL2
                            ? -kernels().square_distance(queries_.row(query), row, base_.dimension())
                            : kernels().dot(queries_.row(query), row, base_.dimension());
    found_[query].add({first_ + r, score});
  }

  const VectorSource& base_;
  const PackedQueries& queries_;
  const TruthOptions& options_;
  VectorBlock rows_;
  std::vector<float> packed_;
  std::vector<float> bias_;
  std::vector<Candidates> found_;
  std::vector<float> products_, limits_;  // of all queries; limits of a last tile's missing ones are infinite
  uint64_t first_ = 0;
  size_t count_ = 0;
  float longest_ = 0;
};

/// The rows that are left to be compared, and the first error.
class TruthQueue {
 public:
  TruthQueue(uint64_t first, uint64_t end, size_t block, const TruthOptions& options)
      : first_(first), next_(first), end_(end), block_(block), options_(options) {}

  void serve(TruthWorker& worker) {
    for (;;) {
      const uint64_t at = next_.fetch_add(block_);
      if (at >= end_ || failed_) return;
      if (options_.stop != nullptr && *options_.stop) {
        return fail_with({ErrorCode::kInterrupted, "ground truth: stopped before all rows were compared"});
      }
      const auto count = static_cast<size_t>(std::min<uint64_t>(block_, end_ - at));
      if (auto worked = worker.work_on(at, count); !worked) return fail_with(worked.error());
      const uint64_t done = done_ += count;
      if (options_.progress) options_.progress(done);
    }
  }
  void fail_with(Error error) {
    std::lock_guard lock(mutex_);
    if (!error_) error_ = std::move(error);
    failed_ = true;
  }
  const std::optional<Error>& error() const { return error_; }

 private:
  uint64_t first_;
  std::atomic<uint64_t> next_;
  uint64_t end_;
  size_t block_;
  const TruthOptions& options_;
  std::atomic<uint64_t> done_ = 0;
  std::atomic<bool> failed_ = false;
  std::mutex mutex_;
  std::optional<Error> error_;
};

Status check_truth(const VectorSource& base, VectorView queries, const TruthOptions& options) {
  if (queries.dimension() != base.dimension()) {
    return fail(ErrorCode::kConfigInvalid, fmt::format("ground truth: the queries have {} dimensions, the vectors {}",
                                                       queries.dimension(), base.dimension()));
  }
  if (options.k == 0 || options.k > 1'000'000) {
    return fail(ErrorCode::kConfigInvalid, fmt::format("ground truth: k {} is not from 1 to 1,000,000", options.k));
  }
  for (const float value : queries.values()) {
    if (!std::isfinite(value))
      return fail(ErrorCode::kConfigInvalid, "ground truth: a query holds a value that is no number");
  }
  return {};
}

/// Rows of one block, a whole number of tiles: as many as stay in cache, and as the memory allows.
size_t block_rows_of(uint32_t dimension, const TruthOptions& options) {
  const size_t tile = kernels().tile_rows;
  const uint64_t row_bytes = uint64_t{dimension} * sizeof(float);
  const uint64_t allowed = options.memory_bytes / std::max(1U, options.threads) / 2 / row_bytes;
  return std::max<uint64_t>(1, std::min<uint64_t>(allowed, kBlockBytes / row_bytes) / tile) * tile;
}

}  // namespace

std::string truth_identity(const VectorSource& base, VectorView queries, const TruthOptions& options) {
  return fmt::format("{}; {} queries {:016x}; {} k {} keys {}-{}", base.identity(), queries.rows(),
                     crc64nvme(std::as_bytes(queries.values())), metric_name(options.metric), options.k,
                     options.filter.first, std::min(options.filter.end, base.rows()));
}

Result<GroundTruth> compute_truth(const VectorSource& base, VectorView queries, const TruthOptions& options) {
  if (auto legal = check_truth(base, queries, options); !legal) return fail(legal.error());
  const uint64_t end = std::min(options.filter.end, base.rows()), first = std::min(options.filter.first, end);
  const PackedQueries packed(queries, options.metric);
  const size_t block_rows = block_rows_of(base.dimension(), options);
  const uint64_t blocks = (end - first + block_rows - 1) / block_rows;
  std::vector<TruthWorker> workers;
  const auto threads = std::max<uint64_t>(1, std::min<uint64_t>(options.threads, blocks));
  for (uint64_t t = 0; t < threads; ++t) workers.emplace_back(base, packed, options, block_rows);
  TruthQueue queue(first, end, block_rows, options);
  const ThreadPurpose purpose{.name = "ground truth threads",
                              .on_error = [&](Error e) { queue.fail_with(std::move(e)); }};
  const auto ran = run_on_threads(workers.size(), purpose, [&](size_t thread) { queue.serve(workers[thread]); });
  if (!ran) return fail(ran.error());
  if (queue.error()) return fail(*queue.error());

  GroundTruth truth{.identity = truth_identity(base, queries, options), .rows = end - first, .k = options.k};
  truth.per_query = static_cast<uint32_t>(std::min<uint64_t>(options.k, truth.rows));
  for (size_t q = 0; q < queries.rows(); ++q) {
    Candidates& best = workers.front().found()[q];
    for (size_t t = 1; t < workers.size(); ++t) best.merge(workers[t].found()[q]);
    const auto sorted = best.sorted();
    truth.neighbours.insert(truth.neighbours.end(), sorted.begin(), sorted.end());
  }
  return truth;
}

double recall_of(std::span<const Neighbour> truth, std::span<const uint64_t> answer, uint32_t k, float epsilon,
                 uint64_t* ties) {
  const size_t wanted = std::min<size_t>(k, truth.size());
  if (wanted == 0) return answer.empty() || truth.empty() ? 1 : 0;
  const float limit = truth[wanted - 1].score - epsilon;
  size_t near = wanted;
  while (near < truth.size() && truth[near].score >= limit) ++near;
  size_t hits = 0, beyond = 0;
  for (size_t i = 0; i < near; ++i) {
    if (std::find(answer.begin(), answer.end(), truth[i].key) == answer.end()) continue;
    ++hits;
    if (i >= wanted) ++beyond;
  }
  if (ties != nullptr) *ties += beyond;
  return static_cast<double>(std::min(hits, wanted)) / static_cast<double>(wanted);
}

}  // namespace mlps::vectordb
