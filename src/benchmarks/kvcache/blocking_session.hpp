#pragma once

#include <atomic>
#include <vector>

#include "storage/outcome.hpp"
#include "storage/store.hpp"

namespace mlps::kvcache {

/// A session whose operations are done when they are submitted; what they do is the derived class's.
class BlockingSession : public storage::Session {
 public:
  void submit(storage::Operation& operation) final {
    storage::start_outcome(operation);
    const bool refused = cancelled_.load(std::memory_order_relaxed) && !storage::is_cleanup(operation.kind);
    storage::finish_outcome(operation, refused ? Status(fail(storage::cancelled_error(operation))) : act(operation));
    ready_.push_back(&operation);
  }
  void poll(std::chrono::nanoseconds /*timeout*/, std::vector<storage::Operation*>& done) final {
    done.insert(done.end(), ready_.begin(), ready_.end());
    ready_.clear();
  }
  void cancel() override { cancelled_.store(true, std::memory_order_relaxed); }

 private:
  virtual Status act(storage::Operation& operation) = 0;

  std::vector<storage::Operation*> ready_;
  std::atomic<bool> cancelled_ = false;
};

}  // namespace mlps::kvcache
