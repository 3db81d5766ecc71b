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
    loop_.stop(false);
  });
  if (Status written = journal(share_.first()); !written) return written;
  if (Status met = transport_.barrier(); !met) return met;
  durable_ = share_.whole_below(0);
  auto thread =
      Threads::start(1, {"journal threads", {}, [this](Error error) { transport_.failure().raise(std::move(error)); }},
                     [this](size_t) {
                       if (Status ran = loop_.run(*this); !ran) transport_.failure().raise(std::move(ran.error()));
                     });
  if (!thread) return fail(std::move(thread.error()));
  thread_ = std::move(*thread);
  return {};
}

DurabilityRounds::~DurabilityRounds() {
  loop_.stop(false);
  thread_.join();
}

void DurabilityRounds::finish() {
  loop_.stop(true);
  thread_.join();
}

WriteCount DurabilityRounds::others() const {
  const std::lock_guard lock(mutex_);
  return others_;
}

Result<Agreement> DurabilityRounds::agree(uint64_t whole, bool writes) {
  // The least of all is wanted, and whether any still writes. Doubles hold the number of any file exactly.
  double ends[] = {-static_cast<double>(whole), writes ? 1.0 : 0.0};
  if (Status met = transport_.reduce(world::Reduction::kMax, ends); !met) return fail(met.error());
  if (Status noted = note_others(); !noted) return fail(noted.error());
  return Agreement{static_cast<uint64_t>(-ends[0]), ends[1] != 0};
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
  const std::lock_guard lock(mutex_);
  others_ = {static_cast<uint64_t>(sums[0]) - own.files, static_cast<uint64_t>(sums[1]) - own.bytes};
  return {};
}

}  // namespace mlps::training
