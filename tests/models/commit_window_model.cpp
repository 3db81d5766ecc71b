#include <gtest/gtest.h>

#include <array>

#include "benchmarks/training/generate_window.hpp"
#include "sync.hpp"

namespace mlps::model {
namespace {

/// A window as it must not be: a mark that is behind its index is not carried on by who completed before it came there.
template <class Sync>
class LooksOnce : public training::BasicCommitWindow<Sync> {
 public:
  using training::BasicCommitWindow<Sync>::BasicCommitWindow;
  void complete(uint64_t index) {
    if (this->watermark() == index) training::BasicCommitWindow<Sync>::complete(index);
  }
};

/// `writers` threads claim two indices each, as far as there are any, and complete the later one first.
template <class Window>
void window_scenario(Execution& execution, int writers, uint64_t indices, uint64_t room) {
  struct Shared {
    Shared(uint64_t n, uint64_t r) : window(0, n, r) {}
    Window window;
    std::array<Atomic<int>, 8> claimed, written;
  };
  const auto shared = std::make_shared<Shared>(indices, room);
  for (int i = 0; i < writers; ++i) {
    execution.thread("writer " + std::to_string(i), [shared] {
      std::vector<uint64_t> mine;
      for (uint64_t index = 0; mine.size() < 2 && shared->window.claim(index) == Window::Claim::kIndex;) {
        check(shared->claimed[index].fetch_add(1) == 0, "an index was handed out twice");
        mine.push_back(index);
      }
      for (; !mine.empty(); mine.pop_back()) {
        shared->written[mine.back()].store(1);
        shared->window.complete(mine.back());
        const uint64_t mark = shared->window.watermark();
        for (uint64_t index = 0; index < mark; ++index) {
          check(shared->written[index].load() == 1, "the watermark is above an index that is not complete");
        }
      }
    });
  }
  execution.at_end([shared, indices] {
    uint64_t whole = 0;
    while (whole < indices && shared->written[whole].load() == 1) ++whole;
    check(shared->window.watermark() == whole, "the watermark is not where all below is complete");
  });
}

TEST(CommitWindowModel, TheWatermarkIsWhereAllBelowIsComplete) {
  for (const auto& [indices, room] : {std::pair<uint64_t, uint64_t>{3, 4}, {4, 4}, {4, 2}, {4, 1}}) {
    const Report report = explore({.max_preemptions = 3}, [&](Execution& execution) {
      window_scenario<training::BasicCommitWindow<ModelSync>>(execution, 2, indices, room);
    });
    EXPECT_TRUE(report.proves()) << report.text();
    std::cout << indices << " indices, room for " << room << ": " << report.text() << '\n';
  }
}

TEST(CommitWindowModel, FindsAMarkThatNobodyCarriesOn) {
  const Report report = explore(
      {.max_preemptions = 2}, [](Execution& execution) { window_scenario<LooksOnce<ModelSync>>(execution, 2, 3, 4); });
  EXPECT_NE(report.failure.find("the watermark is not where"), std::string::npos) << report.text();
}

}  // namespace
}  // namespace mlps::model
