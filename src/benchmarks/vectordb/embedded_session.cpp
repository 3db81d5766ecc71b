#include "benchmarks/vectordb/embedded_session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/clock.hpp"

namespace mlps::vectordb {
namespace {

class EmbeddedSession final : public SearchSession {
 public:
  EmbeddedSession(MetricSpace space, std::unique_ptr<IndexSearch> search, const FreshRows& fresh)
      : space_(space), search_(std::move(search)), fresh_(fresh), query_(space.stored_dimension()) {}

  Status search(VectorView queries, const SearchParams& params, SearchAnswers& answers) override {
    if (queries.dimension() != space_.dimension || params.k == 0) {
      return fail(ErrorCode::kConfigInvalid,
                  fmt::format("search with k {} for queries of {} dimensions in a collection of {}", params.k,
                              queries.dimension(), space_.dimension));
    }
    answers.reset(queries.rows(), params.k);
    const Nanos begin = now_ns();
    const auto blocks = fresh_.blocks();
    for (size_t q = 0; q < queries.rows(); ++q) {
      if (auto done = search_one(queries.row(q), params, blocks, q, answers); !done) return done;
    }
    answers.cost.compute_ns = now_ns() - begin - answers.cost.wait_ns;
    return {};
  }

  void cancel() override {
    cancelled_ = true;
    search_->cancel();
  }

 private:
  Status search_one(std::span<const float> query, const SearchParams& params, const FreshRows::Blocks& blocks, size_t q,
                    SearchAnswers& answers) {
    if (cancelled_) return fail(ErrorCode::kInterrupted, "search: cancelled");
    const float length = space_.store_query(query, query_.data());
    if (!std::isfinite(length))
      return fail(ErrorCode::kConfigInvalid, "search: a query holds a value that is no number");
    if (auto done = search_->search(query_, params, found_, answers.cost); !done) return done;
    if (!blocks.empty()) {
      std::make_heap(found_.begin(), found_.end(), FlatRows::is_nearer);
      for (const auto& block : blocks) block->add_nearest(query_, params.k, params.filter, found_, answers.cost);
      std::sort_heap(found_.begin(), found_.end(), FlatRows::is_nearer);
    }
    answers.counts[q] = static_cast<uint32_t>(std::min<size_t>(found_.size(), params.k));
    for (uint32_t i = 0; i < answers.counts[q]; ++i) {
      answers.neighbours[q * params.k + i] = {found_[i].key, space_.score(found_[i].distance, length)};
    }
    return {};
  }

  MetricSpace space_;
  std::unique_ptr<IndexSearch> search_;
  const FreshRows& fresh_;
  std::vector<float> query_;
  std::vector<FoundRow> found_;
  std::atomic<bool> cancelled_ = false;
};

}  // namespace

std::unique_ptr<SearchSession> make_embedded_session(MetricSpace space, std::unique_ptr<IndexSearch> search,
                                                     const FreshRows& fresh) {
  return std::make_unique<EmbeddedSession>(space, std::move(search), fresh);
}

}  // namespace mlps::vectordb
