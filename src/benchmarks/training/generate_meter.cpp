#include "benchmarks/training/generate_meter.hpp"

#include <algorithm>

#include "base/units.hpp"

namespace mlps::training {
namespace {

constexpr Nanos kMeterInterval = 500'000'000;

}  // namespace

GenerateMeter::GenerateMeter(const GenerateProgress& start, Sources sources, world::Failure& failure)
    : start_(start), sources_(std::move(sources)) {
  Status started = thread_.start(
      {"progress meters", {}, [&failure](Error error) { failure.raise(std::move(error)); }},
      [] { return now_ns() + kMeterInterval; }, [this] { tick(); });
  if (!started) failure.raise(std::move(started.error()));
}

void GenerateMeter::tick() {
  const WriteCount own = sources_.own();
  const OtherHosts others = sources_.others();
  const Nanos now = now_ns();
  GenerateProgress progress = start_;
  progress.files += own.files + others.count.files;
  progress.bytes += own.bytes + others.count.bytes;
  progress.seconds = to_seconds(now - begin_ns_);
  progress.gib_per_s = to_gib(own.bytes - last_bytes_) / to_seconds(std::max<Nanos>(1, now - last_ns_)) +
                       others.bytes_per_s / static_cast<double>(kGiB);
  last_ns_ = now;
  last_bytes_ = own.bytes;
  sources_.display(progress);
}

}  // namespace mlps::training
