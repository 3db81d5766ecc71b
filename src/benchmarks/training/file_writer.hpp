#pragma once

#include <atomic>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "benchmarks/training/dataset.hpp"
#include "benchmarks/training/generate.hpp"
#include "benchmarks/training/generate_share.hpp"
#include "benchmarks/training/generate_window.hpp"
#include "io/task_source.hpp"

namespace mlps::training {

/// Text as an object's content: an index file.
class TextContent final : public payload::Content {
 public:
  TextContent() = default;
  explicit TextContent(std::string text) : text_(std::move(text)) {}
  const std::string& text() const { return text_; }

  void fill(uint64_t offset, std::span<std::byte> out) const override {
    std::memcpy(out.data(), text_.data() + offset, out.size());
  }
  std::optional<uint64_t> first_mismatch(uint64_t offset, std::span<const std::byte> data) const override;

 private:
  std::string text_;
};

/// Decides whether the next file of an unfinished data set may already be there, so that it is worth a look. After more
/// absent files in a row than the last run can have had in flight, no thread looks any more: those few that may still
/// come are simply written. Any thread.
class PresenceGuess {
 public:
  /// `limit` 0: never look.
  explicit PresenceGuess(uint64_t limit) : limit_(limit), active_(limit > 0) {}
  bool active() const { return active_.load(std::memory_order_relaxed); }
  void found() { absent_.store(0, std::memory_order_relaxed); }
  void absent() {
    if (absent_.fetch_add(1, std::memory_order_relaxed) + 1 >= limit_) active_.store(false, std::memory_order_relaxed);
  }

 private:
  const uint64_t limit_;
  std::atomic<bool> active_;
  std::atomic<uint64_t> absent_{0};
};

/// Holds what all file writers of one generation share.
struct WriteJob {
  const Dataset& train;
  const Dataset& eval;
  storage::Store& store;
  world::Failure& failure;
  WritePlan plan;
  bool index_files = false;
  bool verify = false;  ///< what is read is dropped from the page cache before
  FileShare share;
  CommitWindow window;  ///< over the positions of the share
  PresenceGuess presence;
};

/// The task source of one I/O thread of a generation: takes files from the job and carries each through begin, parts
/// and commit by itself. Used by that thread alone, but for live_files() and live_kept_bytes().
class FileWriter final : public io::TaskSource {
 public:
  explicit FileWriter(WriteJob& job);

  bool next(io::Slot& slot, size_t more_free) override;
  bool done(io::Slot& slot) override;
  bool failed(io::Slot& slot) override;
  bool accepts_mismatch(io::Slot& slot, uint64_t wrong) override;
  bool counts(const io::Slot& slot) const override;
  bool may_get_more() const override { return false; }
  bool finished() const override { return exhausted_; }
  void wait(EventCount::Key key) override;
  void clean_up(io::IoThread& thread, bool failed) override;
  io::Place place(const io::Slot& slot) const override;
  std::string mismatch_hint() const override { return {}; }
  io::Stats& stats() override { return numbers_.stats; }

  const WriteNumbers& numbers() const { return numbers_; }
  uint64_t live_files() const { return live_files_.load(std::memory_order_relaxed); }
  uint64_t live_kept_bytes() const { return live_kept_bytes_.load(std::memory_order_relaxed); }

 private:
  /// A file being carried. First its data, then, where there is one, its index file; each is read and compared if it
  /// may be there, and written if it is not whole.
  struct File {
    uint64_t position = 0;  // in the share of this process
    uint64_t index = 0;     // in the list [train..., eval...]
    const Dataset* set = nullptr;
    uint64_t number = 0;  // in its set
    formats::FileContent data;
    TextContent text;
    bool is_index_file = false;
    bool may_be_there = false;
    bool was_there = false;
    bool was_written = false;

    std::unique_ptr<storage::Object> object;  // of the data or of the index file
    bool reading = false;
    bool moving = false;  // begun, and not being closed
    bool equal = true;    // reading: nothing else was found so far
    uint32_t next_part = 0;
    uint32_t in_flight = 0;
    bool has_parts() const { return moving && equal && next_part < object->part_count(); }
  };

  File& file_of(const io::Slot& slot) const { return *carried_[slot.index()]; }
  void take_file(uint64_t position, io::Slot& slot);
  bool open(io::Slot& slot);
  bool begin_object(io::Slot& slot, bool reading);
  void start_part(File& file, io::Slot& slot);
  void put(io::Slot& slot, storage::OpKind kind);
  bool completed(io::Slot& slot);
  bool part_done(io::Slot& slot);
  bool not_whole(const io::Slot& slot);
  bool object_done(io::Slot& slot);
  void file_done(File& file);

  WriteJob& job_;
  std::vector<File> files_;     // as many as slots: every file being carried has an operation in flight
  std::vector<File*> carried_;  // by slot
  std::vector<File*> idle_;
  std::vector<File*> movable_;   // oldest first; with parts to take
  uint64_t arriving_parts_ = 0;  // of files whose begin is in flight
  bool exhausted_ = false;
  WriteNumbers numbers_;
  alignas(64) std::atomic<uint64_t> live_files_{0};
  std::atomic<uint64_t> live_kept_bytes_{0};
};

}  // namespace mlps::training
