#include "benchmarks/training/generate_meter.hpp"

#include <fmt/format.h>

#include <utility>

namespace mlps::training {
namespace {

live::State state_of(const GenerateRequest& request, uint32_t hosts) {
  live::State state;
  state.what = "datagen " + request.model;
  if (hosts > 1) state.scale = fmt::format("{} hosts", hosts);
  state.place = request.store->root().to_string();
  state.phase = state.moving = "write";
  state.item = "files";
  return state;
}

}  // namespace

GenerateMeter::GenerateMeter(const GenerateRequest& request, const Start& start, Sources sources,
                             world::Failure& failure)
    : start_(start),
      sources_(std::move(sources)),
      base_(state_of(request, start.hosts)),
      meter_(
          request.on_progress, request.invocation_start.monotonic_ns,
          [this](live::State& state) { return fill(state); }, failure) {}

bool GenerateMeter::fill(live::State& state) const {
  const WriteCount own = sources_.own();
  const WriteCount others = sources_.others();
  state = base_;
  const uint64_t written = own.bytes + others.bytes;
  const uint64_t files = start_.kept.files + own.files + others.files;
  state.parts = {{"file", files, start_.total.files}};
  state.bytes = static_cast<double>(written);
  state.items = static_cast<double>(own.files + others.files);
  const auto done = static_cast<double>(start_.kept.bytes + written), all = static_cast<double>(start_.total.bytes);
  if (all > 0) state.done_share = std::min(1.0, done / all);
  const double seconds = to_seconds(now_ns() - begin_ns_);
  if (written > 0) {
    state.mean_bytes_per_s = static_cast<double>(written) / seconds;
    state.left_s = std::max(0.0, all - done) / *state.mean_bytes_per_s;
  }
  const io::SeriesSums sums = sources_.series.sums();
  live::set_latency(state, sums.latency);
  live::set_commits(state, sums.commits);
  state.retries = static_cast<double>(sums.retries);
  return true;
}

}  // namespace mlps::training
