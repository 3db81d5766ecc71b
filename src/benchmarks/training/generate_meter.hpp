#pragma once

#include <functional>

#include "base/periodic_thread.hpp"
#include "benchmarks/training/durability_rounds.hpp"
#include "benchmarks/training/generate.hpp"

namespace mlps::training {

/// Reports the progress of a generation to a display, twice a second, from a thread that only reads counters. The
/// numbers of other hosts are those of the last durability round.
class GenerateMeter {
 public:
  struct Sources {
    std::function<WriteCount()> own;
    std::function<OtherHosts()> others;
    std::function<void(const GenerateProgress&)> display;
  };
  /// `start`: what was there before, and the totals.
  GenerateMeter(const GenerateProgress& start, Sources sources, world::Failure& failure);

 private:
  void tick();

  const GenerateProgress start_;
  const Sources sources_;
  const Nanos begin_ns_ = now_ns();
  Nanos last_ns_ = begin_ns_;
  uint64_t last_bytes_ = 0;
  PeriodicThread thread_;
};

}  // namespace mlps::training
