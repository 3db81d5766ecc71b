#pragma once

#include <functional>

#include "benchmarks/training/durability_rounds.hpp"
#include "benchmarks/training/generate.hpp"
#include "io/series.hpp"
#include "live/meter.hpp"

namespace mlps::training {

/// Tells how a generation goes, over all hosts: this host's part is current, that of the others is as of the last
/// durability round, at most one journal interval and one flush ago.
class GenerateMeter {
 public:
  /// What the meter reads; it outlives the meter.
  struct Sources {
    std::function<WriteCount()> own;
    std::function<WriteCount()> others;
    const io::SharedSeries& series;
  };
  /// What was there before, and the totals.
  struct Start {
    WriteCount kept;
    WriteCount total;
    uint32_t hosts = 1;
  };
  GenerateMeter(const GenerateRequest& request, const Start& start, Sources sources, world::Failure& failure);

 private:
  bool fill(live::State& state) const;

  const Start start_;
  const Sources sources_;
  live::State base_;  // what does not change
  const Nanos begin_ns_ = now_ns();
  live::Meter meter_;
};

}  // namespace mlps::training
