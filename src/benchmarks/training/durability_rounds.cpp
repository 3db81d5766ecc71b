#include "benchmarks/training/durability_rounds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace mlps::training {

Result<std::unique_ptr<DurabilityRounds>> DurabilityRounds::start(Settings settings, const FileShare& share,
                                                                  const CommitWindow& window, storage::Store& store,
                                                                  world::Transport& transport) {
  std::unique_ptr<DurabilityRounds> rounds(new DurabilityRounds(std::move(settings), share, window, store, transport));
  if (Status begun = rounds->begin(); !begun) return fail(std::move(begun.error()));
  return rounds;
}

Status DurabilityRounds::begin() {
  if (settings_.keeps_journal && transport_.index() == 0) {
    auto journal_writer = JournalWriter::open(settings_.shape, store_);
    if (!journal_writer) return fail(std::move(journal_writer.error()));
    journal_writer_ = std::move(*journal_writer);
  }
  on_raise_ = transport_.failure().on_raise([this] {
    if (journal_writer_) journal_writer_->cancel();
    stop(false);
  });
  if (Status written = journal(share_.first()); !written) return written;
  if (Status met = transport_.barrier(); !met) return met;
  durable_ = share_.whole_below(0);
  met_ns_ = now_ns();
  auto thread =
      Threads::start(1, {"journal threads", {}, [this](Error error) { transport_.failure().raise(std::move(error)); }},
                     [this](size_t) { run(); });
  if (!thread) return fail(std::move(thread.error()));
  thread_ = std::move(*thread);
  return {};
}

DurabilityRounds::~DurabilityRounds() {
  stop(false);
  thread_.join();
}

void DurabilityRounds::finish() {
  stop(true);
  thread_.join();
}

void DurabilityRounds::stop(bool finished) {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  finished_ = finished_ || finished;
  changed_.notify_all();
}

OtherHosts DurabilityRounds::others() const {
  const std::lock_guard lock(mutex_);
  return others_;
}

void DurabilityRounds::run() {
  for (bool all_finished = false; !all_finished;) {
    bool finished = false;
    {
      std::unique_lock lock(mutex_);
      changed_.wait_until(lock, now_ns() + settings_.interval_ns, [&] { return stopping_; });
      if (stopping_ && !finished_) return;
      finished = finished_;
    }
    if (Status met = meet(finished, all_finished); !met) return transport_.failure().raise(std::move(met.error()));
  }
}

Status DurabilityRounds::meet(bool finished, bool& all_finished) {
  const uint64_t whole = share_.whole_below(window_.watermark());
  if (!finished) {
    if (Status durable = make_durable(whole); !durable) return durable;
  }
  // The least of all is wanted, and whether any still writes. Doubles hold the number of any file exactly.
  double ends[] = {-static_cast<double>(whole), finished ? 0.0 : 1.0};
  if (Status met = transport_.reduce(world::Reduction::kMax, ends); !met) return met;
  if (Status noted = note_others(); !noted) return noted;
  all_finished = ends[1] == 0;
  return journal(static_cast<uint64_t>(-ends[0]));
}

Status DurabilityRounds::journal(uint64_t whole) {
  if (!journal_writer_ || whole == journaled_) return {};
  journaled_ = whole;
  return journal_writer_->write(whole);
}

/// Makes the files that the journal is about to call whole survive a crash of this host.
Status DurabilityRounds::make_durable(uint64_t whole) {
  if (whole == durable_) return {};
  durable_ = whole;
  return store_.flush();
}

Status DurabilityRounds::note_others() {
  if (transport_.size() == 1) return {};
  const WriteCount own = settings_.count();
  double sums[] = {static_cast<double>(own.files), static_cast<double>(own.bytes)};
  if (Status met = transport_.reduce(world::Reduction::kSum, sums); !met) return met;
  const Nanos now = now_ns();
  const std::lock_guard lock(mutex_);
  const auto bytes = static_cast<uint64_t>(sums[1]) - own.bytes;
  others_.bytes_per_s =
      static_cast<double>(bytes - others_.count.bytes) / to_seconds(std::max<Nanos>(1, now - met_ns_));
  others_.count = {static_cast<uint64_t>(sums[0]) - own.files, bytes};
  met_ns_ = now;
  return {};
}

}  // namespace mlps::training
