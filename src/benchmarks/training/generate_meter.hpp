#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "benchmarks/training/generate.hpp"
#include "benchmarks/training/generate_rounds.hpp"

namespace mlps::training {

/// Tells a display how far a generation is, twice a second, from a thread that only reads counters. What other hosts
/// have written is as new as the last round.
class GenerateMeter {
 public:
  struct Sources {
    std::function<WriteCount()> own;
    std::function<OtherHosts()> others;
    std::function<void(const GenerateProgress&)> display;
  };
  /// `start`: what was there before, and the totals.
  GenerateMeter(const GenerateProgress& start, Sources sources)
      : start_(start), sources_(std::move(sources)), thread_([this] { tick(); }) {}
  ~GenerateMeter();
  GenerateMeter(const GenerateMeter&) = delete;
  GenerateMeter& operator=(const GenerateMeter&) = delete;

 private:
  void tick();

  const GenerateProgress start_;
  const Sources sources_;
  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace mlps::training
