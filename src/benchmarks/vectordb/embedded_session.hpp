#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "benchmarks/vectordb/engine.hpp"
#include "benchmarks/vectordb/index.hpp"
#include "benchmarks/vectordb/metric_space.hpp"

namespace mlps::vectordb {

/// Holds the rows that no index holds: each insert since the last build is one block, searched by comparison. Any
/// thread may call any member.
class FreshRows {
 public:
  using Blocks = std::vector<std::shared_ptr<const FlatRows>>;

  void add(FlatRows rows) {
    std::lock_guard lock(mutex_);
    blocks_.push_back(std::make_shared<const FlatRows>(std::move(rows)));
    has_any_ = true;
  }
  void clear() {
    std::lock_guard lock(mutex_);
    blocks_.clear();
    has_any_ = false;
  }
  Blocks blocks() const {
    if (!has_any_) return {};
    std::lock_guard lock(mutex_);
    return blocks_;
  }

 private:
  mutable std::mutex mutex_;
  Blocks blocks_;
  std::atomic<bool> has_any_ = false;
};

/// Returns a session that searches an index and the fresh rows beside it, which must outlive it. Only cancel() may be
/// called from another thread than the searches.
std::unique_ptr<SearchSession> make_embedded_session(MetricSpace space, std::unique_ptr<IndexSearch> search,
                                                     const FreshRows& fresh);

}  // namespace mlps::vectordb
