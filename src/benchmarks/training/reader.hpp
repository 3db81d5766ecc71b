#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/aligned_buffer.hpp"
#include "benchmarks/training/feed.hpp"
#include "benchmarks/training/record.hpp"
#include "storage/store.hpp"
#include "world/world.hpp"

namespace mlps::training {

/// One I/O thread of a training run: claims reads of any accelerator, carries them out through its own session and
/// buffers, and tells the stream. Everything in it is used by its own thread alone, but for live_bytes() and cancel().
class Reader {
 public:
  /// Opens the session and gets the buffers.
  static Result<std::unique_ptr<Reader>> create(uint32_t index, const ReadPlan& plan, bool verify,
                                                storage::Store& store, Feed& feed, world::Failure& failure);

  /// Reads until the feed is closed or the run has failed; nothing is in flight and no file open on return.
  void work();

  /// From any thread: what is in flight ends soon with E203.
  void cancel() { session_->cancel(); }

  ReadStats& stats() { return stats_; }
  uint64_t live_bytes() const { return live_bytes_.load(std::memory_order_relaxed); }
  Nanos first_read_ns() const { return first_read_ns_; }  ///< 0 if it never read

 private:
  struct Job;

  /// A file being read, by one or more jobs of this worker.
  struct OpenFile {
    enum class State : uint8_t { kUnused, kNew, kOpening, kOpen, kClosing };
    State state = State::kUnused;
    bool cached = false;  ///< stays open for the next extent of its stream
    uint32_t rank = 0;
    uint32_t users = 0;
    const Pass* pass = nullptr;
    uint64_t index = 0;
    formats::FileContent content;
    storage::ObjectSpec spec;  ///< scratch for the next object
    std::unique_ptr<storage::Object> object;
    std::vector<Job*> waiting;  ///< for the file to be open
  };

  /// One claimed extent.
  struct Job {
    OpenFile* file = nullptr;
    uint64_t ticket = 0;
    uint64_t next = 0;  ///< file offset of the next read to submit
    uint64_t end = 0;
    uint32_t reads_left = 0;  ///< submitted and not complete
    Nanos started_ns = 0;
  };

  struct Slot {
    storage::Operation operation;
    std::span<std::byte> buffer;  ///< of slab_; empty if no bytes go through memory
    OpenFile* file = nullptr;
    Job* job = nullptr;
  };

  Reader(uint32_t index, const ReadPlan& plan, bool verify, storage::Store& store, Feed& feed, world::Failure& failure);

  void fill();
  bool claim();
  void wait_for_work(uint32_t heard);
  void note_blocking();
  void start(uint32_t rank, uint64_t ticket);
  OpenFile& file_of(uint32_t rank, uint64_t index, const Pass& pass);
  OpenFile& new_file(uint32_t rank, uint64_t index, const Pass& pass);
  void close(OpenFile& file);
  void do_chore();
  void recycle(OpenFile& file);
  void submit_read(Job& job);
  void submit(Slot& slot);
  void finish(Slot& slot);
  void finish_read(Slot& slot);
  void finish_job(Job& job, Nanos completed_ns);
  bool verify(const Slot& slot);
  void raise(const Slot& slot, Error error);
  void close_cached();
  /// Adds the time since the last call to `bucket`.
  void charge(Nanos& bucket);

  const uint32_t index_;
  const ReadPlan plan_;
  const bool verify_;
  storage::Store& store_;
  const storage::StoreTraits traits_;
  Feed& feed_;
  const bool adapting_;  ///< to whether reads block
  world::Failure& failure_;
  std::unique_ptr<storage::Session> session_;

  AlignedBuffer slab_;
  std::vector<Slot> slots_;
  std::vector<Slot*> free_slots_;
  std::vector<Job> jobs_;
  std::vector<Job*> free_jobs_;
  std::vector<Job*> readable_;  ///< open, with reads to submit; oldest first from readable_next_
  size_t readable_next_ = 0;
  std::vector<OpenFile*> chores_;  ///< to open (kNew) or to close, when a slot is free
  size_t chores_next_ = 0;
  std::vector<std::unique_ptr<OpenFile>> files_;
  std::vector<OpenFile*> free_files_;
  std::vector<OpenFile*> cached_;  ///< by rank; the file this worker has open for it
  std::vector<storage::Operation*> completed_;
  uint32_t in_flight_ = 0;
  uint32_t next_rank_ = 0;
  Nanos mark_ = 0;
  uint32_t quiet_reads_ = 0;  ///< in a row, that did not block
  uint64_t switches_ = 0;     ///< voluntary ones of this thread, when last asked
  Nanos in_submit_ns_ = 0;    ///< of blocking stores, since the last charge

  ReadStats stats_;
  Nanos first_read_ns_ = 0;
  alignas(64) std::atomic<uint64_t> live_bytes_{0};
};

}  // namespace mlps::training
