#include <algorithm>
#include <utility>

#include "benchmarks/vectordb/index.hpp"
#include "benchmarks/vectordb/kernels/kernels.hpp"

namespace mlps::vectordb {
namespace {

class FlatSearch final : public IndexSearch {
 public:
  explicit FlatSearch(const FlatRows& rows) : rows_(rows) {}

  Status search(std::span<const float> query, const SearchParams& params, std::vector<FoundRow>& found,
                QueryCost& cost) override {
    found.clear();
    rows_.add_nearest(query, params.k, params.filter, found, cost);
    std::sort_heap(found.begin(), found.end(), FlatRows::is_nearer);
    return {};
  }

 private:
  const FlatRows& rows_;
};

class FlatIndex final : public LoadedIndex {
 public:
  explicit FlatIndex(FlatRows rows) : rows_(std::move(rows)) {}
  Result<std::unique_ptr<IndexSearch>> open_search() override { return std::make_unique<FlatSearch>(rows_); }
  uint64_t memory_bytes() const override { return rows_.memory_bytes(); }

 private:
  FlatRows rows_;
};

}  // namespace

void add_nearest_row(const FoundRow& row, uint32_t k, std::vector<FoundRow>& found) {
  if (found.size() == k && !FlatRows::is_nearer(row, found.front())) return;
  found.push_back(row);
  std::push_heap(found.begin(), found.end(), FlatRows::is_nearer);
  if (found.size() <= k) return;
  std::pop_heap(found.begin(), found.end(), FlatRows::is_nearer);
  found.pop_back();
}

uint32_t widened_effort(const SearchParams& params, uint32_t rows) {
  const uint64_t effort = std::max(params.effort, params.k);
  if (params.filter.is_everything()) return static_cast<uint32_t>(effort);
  const uint64_t end = std::min<uint64_t>(params.filter.end, rows);
  const uint64_t inside = std::max<uint64_t>(1, end - std::min(end, params.filter.first));
  return static_cast<uint32_t>(std::min<uint64_t>(std::max<uint64_t>(rows, effort), effort * rows / inside));
}

void FlatRows::add_nearest(std::span<const float> query, uint32_t k, const KeyRange& filter,
                           std::vector<FoundRow>& found, QueryCost& cost) const {
  const VectorView all = rows.view();
  for (size_t i = 0; i < all.rows(); ++i) {
    if (!filter.contains(keys[i])) continue;
    ++cost.scored;
    const FoundRow row{kernels().square_distance(query.data(), all.row(i).data(), all.dimension()), keys[i]};
    add_nearest_row(row, k, found);
  }
}

std::unique_ptr<LoadedIndex> make_flat_index(FlatRows rows) {
  return std::make_unique<FlatIndex>(std::move(rows));
}

}  // namespace mlps::vectordb
