#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "benchmarks/vectordb/engine.hpp"

namespace mlps::vectordb {

/// The sessions of a run that are open, all of which a failure of the run cancels. Any thread may call any member; it
/// must outlive the sessions.
class CancelledSessions {
 public:
  using Session = std::unique_ptr<SearchSession, std::function<void(SearchSession*)>>;

  /// Opens a session of `engine`. It is cancelled at once if cancel() was called before.
  Result<Session> open(SearchEngine& engine) {
    auto session = engine.open_session();
    if (!session) return fail(session.error());
    const std::lock_guard lock(mutex_);
    open_.push_back(session->get());
    if (cancelled_) (*session)->cancel();
    return Session(session->release(), [this](SearchSession* ended) {
      {
        const std::lock_guard ending(mutex_);
        std::erase(open_, ended);
      }
      delete ended;
    });
  }

  /// Cancels what is open and what will be opened.
  void cancel() {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    for (SearchSession* session : open_) session->cancel();
  }

 private:
  std::mutex mutex_;
  std::vector<SearchSession*> open_;
  bool cancelled_ = false;
};

}  // namespace mlps::vectordb
