#pragma once

#include <atomic>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/aligned_buffer.hpp"
#include "base/histogram.hpp"
#include "benchmarks/training/dataset.hpp"
#include "benchmarks/training/generate.hpp"
#include "benchmarks/training/generate_share.hpp"
#include "benchmarks/training/generate_window.hpp"
#include "storage/store.hpp"
#include "world/world.hpp"

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

/// Whether the next file of an unfinished data set may already be there, so that it is worth a look. After more absent
/// files in a row than the last run can have had in flight, nobody looks any more: those few that may still come are
/// simply written. Any thread.
class Probe {
 public:
  /// `limit` 0: never look.
  explicit Probe(uint64_t limit) : limit_(limit), active_(limit > 0) {}
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

/// What all workers of one generation share.
struct WriteJob {
  const Dataset& train;
  const Dataset& eval;
  storage::Store& store;
  world::Failure& failure;
  WritePlan plan;
  bool index_files = false;
  FileShare share;
  CommitWindow window;  ///< over the positions of the share
  Probe probe;
};

/// Numbers of one worker, or of all, summed.
struct WriteNumbers {
  io::Stats stats;
  Nanos first_part_ns = 0;  ///< when the first part was submitted for writing; 0: none
  uint64_t files_written = 0, files_kept = 0, files_repaired = 0;
  uint64_t bytes_planned = 0, bytes_kept = 0;
};

/// One I/O thread's state: it takes files from the job and carries each through begin, parts and commit by itself.
/// Everything in it is used by that thread alone, but for live_files(), live_bytes() and cancel().
class WriteWorker {
 public:
  /// Opens the session and gets the buffers.
  static Result<std::unique_ptr<WriteWorker>> create(WriteJob& job);

  /// Until no file is left, or the world has failed; then what this worker began is aborted, and the problems of that
  /// are in problems(): they never hide the first cause.
  void work();

  /// From any thread: what is in flight ends soon with E203.
  void cancel() { session_->cancel(); }

  const WriteNumbers& numbers() const { return numbers_; }
  const std::vector<std::string>& problems() const { return problems_; }
  uint64_t live_files() const { return live_files_.load(std::memory_order_relaxed); }
  uint64_t live_bytes() const { return live_bytes_.load(std::memory_order_relaxed); }

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
    bool probing = false;  // this file may be there
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
  struct Slot {
    storage::Operation operation;
    std::span<std::byte> buffer;
    File* file = nullptr;
  };

  explicit WriteWorker(WriteJob& job) : job_(job) {}

  bool take();
  void take_file(uint64_t position, Slot& slot);
  void open(Slot& slot);
  void begin(Slot& slot, bool reading);
  void start_part(File& file, Slot& slot);
  void submit(Slot& slot, storage::OpKind kind);

  void finish(Slot& slot);
  void begun(Slot& slot);
  void part_done(Slot& slot);
  void compare(Slot& slot);
  void count(const Slot& slot);
  /// True if `slot`'s error only means that what is read is not there or not whole.
  bool not_whole(Slot& slot);
  void object_done(Slot& slot);
  void file_done(Slot& slot);
  void raise(Slot& slot, Error error);
  void abort_open();
  void charge(Nanos& bucket);

  WriteJob& job_;
  std::unique_ptr<storage::Session> session_;
  AlignedBuffer slab_;
  std::vector<Slot> slots_;
  std::vector<Slot*> free_;
  std::vector<File> files_;  // as many as slots: every file being carried has an operation in flight
  std::vector<File*> idle_;
  std::vector<File*> movable_;   // oldest first; with parts to take
  uint64_t arriving_parts_ = 0;  // of files whose begin is in flight
  uint32_t in_flight_ = 0;
  bool exhausted_ = false;
  std::vector<storage::Operation*> completed_;
  Nanos mark_ = 0;

  WriteNumbers numbers_;
  std::vector<std::string> problems_;
  alignas(64) std::atomic<uint64_t> live_files_{0};
  std::atomic<uint64_t> live_bytes_{0};
};

}  // namespace mlps::training
