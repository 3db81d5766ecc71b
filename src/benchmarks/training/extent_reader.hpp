#pragma once

#include <memory>
#include <vector>

#include "benchmarks/training/prefetch_queue.hpp"
#include "benchmarks/training/record.hpp"
#include "io/io_thread_pool.hpp"

namespace mlps::training {

/// The task source of one I/O thread of a training run: claims reads of any accelerator, opens and closes their files,
/// and reports completed reads to the prefetch queue.
class ExtentReader final : public io::TaskSource {
 public:
  /// Reader number `index` of the plan's. With `verify`, files know what they should hold.
  ExtentReader(uint32_t index, const ReadPlan& plan, bool verify, storage::Store& store, PrefetchQueue& queue,
               world::Failure& failure);

  bool next(io::Slot& slot, size_t more_free) override;
  bool done(io::Slot& slot) override;
  bool finished() const override { return queue_.closed(); }
  EventCount::Key prepare_wait() const override { return queue_.reads_available().prepare_wait(); }
  void wait(EventCount::Key key) override { queue_.reads_available().wait(key); }
  void clean_up(io::IoThread& thread, bool failed) override;
  bool failed(io::Slot& slot) override;
  io::Place place(const io::Slot& slot) const override;
  std::string mismatch_hint() const override;
  io::Stats& stats() override { return stats_; }
  const ReadStats& numbers() const { return stats_; }

 private:
  struct Job;

  /// A file being read, by one or more jobs of this thread.
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
    Nanos started_ns = 0;     ///< when the first read was submitted; 0: none is complete
  };

  /// The file and job that a slot works for; no job while a file is opened or closed.
  struct Carried {
    OpenFile* file = nullptr;
    Job* job = nullptr;
  };

  bool claim(uint32_t most);
  void start(uint32_t rank, const Pass& pass, uint64_t ticket);
  OpenFile& file_of(uint32_t rank, uint64_t index, const Pass& pass);
  OpenFile& new_file(uint32_t rank, uint64_t index, const Pass& pass);
  void close(OpenFile& file);
  void open_or_close(io::Slot& slot);
  void recycle(OpenFile& file);
  void read_on(io::Slot& slot, Job& job);
  void read_done(const storage::Operation& operation, Job& job);

  const ReadPlan plan_;
  const bool verify_;
  storage::Store& store_;
  const storage::StoreTraits traits_;
  PrefetchQueue& queue_;

  std::vector<Carried> carried_;  ///< by slot
  std::vector<Job> jobs_;
  std::vector<Job*> free_jobs_;
  std::vector<Job*> readable_;  ///< open, with reads to submit; oldest first from readable_next_
  size_t readable_next_ = 0;
  std::vector<OpenFile*> open_close_queue_;  ///< files to open (kNew) or to close, when a slot is free
  size_t open_close_next_ = 0;
  std::vector<std::unique_ptr<OpenFile>> files_;
  std::vector<OpenFile*> free_files_;
  std::vector<OpenFile*> cached_;  ///< by rank; the file that this thread has open for it
  uint32_t next_rank_ = 0;
  ReadStats stats_;
};

/// The I/O threads of a training run on this host: they read from before the first epoch to the end of the run.
class Readers {
 public:
  /// Opens every session and starts every thread, which record into `series`. On failure nothing is left running.
  static Result<std::unique_ptr<Readers>> start(const ReadPlan& plan, bool verify, storage::Store& store,
                                                PrefetchQueue& queue, world::Failure& failure,
                                                io::SharedSeries& series);
  /// As stop().
  ~Readers();

  /// Closes the prefetch queue and ends the threads; their numbers are final after it.
  void stop();

  uint64_t live_bytes() const { return threads_->live_bytes(); }
  /// Adds what the threads counted. After stop().
  void merge_into(ReadStats& stats) const;
  Nanos first_read_ns() const { return threads_->first_part_ns(); }  ///< 0 if nothing was read. After stop()

 private:
  explicit Readers(PrefetchQueue& queue) : queue_(queue) {}

  PrefetchQueue& queue_;
  std::vector<std::unique_ptr<ExtentReader>> readers_;
  std::unique_ptr<io::IoThreadPool> threads_;
  world::Failure::Subscription on_raise_;
};

}  // namespace mlps::training
