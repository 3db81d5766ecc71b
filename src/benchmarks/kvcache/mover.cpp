#include "benchmarks/kvcache/mover.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace mlps::kvcache {
namespace {

using storage::OpKind;

/// An entry behind the header of its file.
class WithHeader final : public payload::Content {
 public:
  WithHeader(std::string header, payload::Source body) : header_(std::move(header)), body_(body) {}

  void fill(uint64_t offset, std::span<std::byte> out) const override {
    const size_t front = front_of(offset, out.size());
    if (front > 0) std::memcpy(out.data(), header_.data() + offset, front);
    if (front < out.size()) body_.fill(offset + front - header_.size(), out.subspan(front));
  }
  std::optional<uint64_t> first_mismatch(uint64_t offset, std::span<const std::byte> data) const override {
    const size_t front = front_of(offset, data.size());
    for (size_t i = 0; i < front; ++i) {
      if (data[i] != static_cast<std::byte>(header_[offset + i])) return offset + i;
    }
    if (front == data.size()) return std::nullopt;
    const auto wrong = body_.first_mismatch(offset + front - header_.size(), data.subspan(front));
    return wrong ? std::optional(*wrong + header_.size()) : std::nullopt;
  }

 private:
  size_t front_of(uint64_t offset, size_t size) const {
    return offset < header_.size() ? std::min<size_t>(size, header_.size() - offset) : 0;
  }
  const std::string header_;
  const payload::Source body_;
};

}  // namespace

void Port::post(EntryOp& op) {
  {
    const std::lock_guard lock(mutex_);
    done_.push_back(&op);
  }
  changed_.notify();
}

void Port::take(std::vector<EntryOp*>& done) {
  const std::lock_guard lock(mutex_);
  done.insert(done.end(), done_.begin(), done_.end());
  done_.clear();
}

/// One entry under way. It is in `ready_`, or an operation of it is in flight, or both.
struct Mover::Job {
  Port* port = nullptr;
  EntryOp* op = nullptr;
  std::unique_ptr<payload::Content> content;
  std::unique_ptr<storage::Object> object;
  Nanos made_ns = 0, first_ns = 0;
  uint32_t next_part = 0, done_parts = 0, in_flight = 0;
  bool begun = false, opening = false, is_ready = false, cut = false;
  bool aborting = false;  // the operation that gives it up has been begun

  bool has_parts() const { return next_part < object->part_count(); }
};

/// Gives one I/O thread steps of any job.
class Mover::Source final : public io::TaskSource {
 public:
  Source(Mover& mover, uint32_t depth, world::Failure& failure) : TaskSource(failure), mover_(mover), carried_(depth) {}

  bool next(io::Slot& slot, size_t /*more_free*/) override {
    Job* const job = mover_.take(slot.operation);
    if (job == nullptr) return false;
    carried_[slot.index()] = job;
    if (slot.operation.writes_body() || slot.operation.reads_body()) slot.use_buffer(slot.operation.length());
    if (slot.operation.kind == OpKind::kBeginRead && mover_.form_.drops_pages) drop_pages(*job);
    return true;
  }
  bool done(io::Slot& slot) override;
  bool finished() const override { return mover_.closed_.load(std::memory_order_acquire); }
  EventCount::Key prepare_wait() const override { return mover_.work_.prepare_wait(); }
  void wait(EventCount::Key key) override { mover_.work_.wait_briefly(key); }
  void clean_up(io::IoThread& thread, bool failed) override;
  io::Place place(const io::Slot& slot) const override {
    const Job& job = *carried_[slot.index()];
    return {fmt::format("rank {}, {} of an entry", job.port->rank(), job.op->writes ? "write" : "read"),
            job.port->rank()};
  }
  std::string mismatch_hint() const override {
    return "the storage returned other bytes than it was given, or something else writes into the cache folder";
  }
  io::Stats& stats() override { return stats_; }

 private:
  void drop_pages(Job& job);
  void charge(Job& job, const storage::Operation& operation) const;

  Mover& mover_;
  std::vector<Job*> carried_;  // by slot
  io::Stats stats_;
};

void Mover::Source::drop_pages(Job& job) {
  const Nanos before = now_ns();
  if (Status dropped = mover_.store_.evict(job.object->name()); !dropped) failure_.raise(dropped.error());
  const Nanos spent = now_ns() - before;
  if (job.first_ns == 0) job.first_ns = before;
  job.op->host_ns += spent;
  job.op->total_ns += spent;
}

/// Adds an operation's time to its entry's: what mlpstorage 3.0 calls device is the sync of a write and the load of a
/// read, and host everything else.
void Mover::Source::charge(Job& job, const storage::Operation& operation) const {
  EntryOp& op = *job.op;
  if (job.first_ns == 0) job.first_ns = operation.submitted_ns;
  op.completed_ns = std::max(op.completed_ns, operation.completed_ns);
  if (!mover_.form_.is_split) return;
  const Nanos spent = operation.completed_ns - operation.submitted_ns;
  const bool device = op.writes ? operation.kind == OpKind::kCommitWrite : true;
  (device ? op.device_ns : op.host_ns) += spent;
  op.total_ns += spent;
}

bool Mover::Source::done(io::Slot& slot) {
  Job& job = *carried_[slot.index()];
  storage::Operation& operation = slot.operation;
  const std::lock_guard lock(mover_.mutex_);
  charge(job, operation);
  --job.in_flight;
  switch (operation.kind) {
    case OpKind::kBeginWrite:
    case OpKind::kBeginRead:
      job.opening = false;
      job.begun = true;
      mover_.put_back_and_wake(job);
      return false;
    case OpKind::kWritePart:
    case OpKind::kReadPart: {
      ++job.done_parts;
      const uint64_t header = operation.part == 0 ? mover_.form_.header_bytes : 0;
      const bool inside = operation.completed_ns <= job.port->window_end();
      (inside ? job.op->moved.inside : job.op->moved.late) += operation.bytes - std::min(operation.bytes, header);
      if (mover_.end_of(job, slot)) return true;
      mover_.put_back_and_wake(job);
      return false;
    }
    default:
      mover_.finish(job);
      return false;
  }
}

void Mover::Source::clean_up(io::IoThread& thread, bool failed) {
  if (!failed) return;
  for (;;) {
    Job* open_job = nullptr;
    {
      const std::lock_guard lock(mover_.mutex_);
      const auto open = std::find_if(mover_.jobs_.begin(), mover_.jobs_.end(), [](const auto& each) {
        const Job& job = *each.second;
        return job.op->writes && (job.begun || job.opening) && !job.aborting;
      });
      if (open == mover_.jobs_.end()) return;
      open_job = open->first;
      open_job->cut = open_job->aborting = true;
    }
    thread.abort(*open_job->object);
  }
}

Result<std::unique_ptr<Mover>> Mover::start(const io::Plan& plan, bool verify, EntryForm form, storage::Store& store,
                                            world::Failure& failure, io::SharedSeries* series) {
  std::unique_ptr<Mover> mover(new Mover(std::move(form), store, failure));
  mover->part_bytes_ = plan.part_bytes;
  auto remover = store.open_session(1);
  if (!remover) return fail(std::move(remover.error()));
  mover->remover_ = std::move(*remover);
  for (uint32_t i = 0; i < plan.workers; ++i) {
    mover->sources_.push_back(std::make_unique<Source>(*mover, plan.depth, failure));
  }
  auto pool = io::IoThreadPool::start(plan, verify, store, failure, io::pointers(mover->sources_), series);
  if (!pool) return fail(std::move(pool.error()));
  mover->pool_ = std::move(*pool);
  auto removing = Threads::start(1, {"entry removal", {}, [&failure](Error error) { failure.raise(std::move(error)); }},
                                 [raw = mover.get()](size_t) { raw->serve_removals(); });
  if (!removing) return fail(std::move(removing.error()));
  mover->removing_ = std::move(*removing);
  mover->on_raise_ = failure.on_raise([raw = mover.get()] {
    raw->work_.notify();
    raw->remover_->cancel();
    const std::lock_guard lock(raw->removal_mutex_);
    raw->no_more_removals_ = true;
    raw->removals_changed_.notify_all();
  });
  mover->pool_->begin();
  return mover;
}

Mover::Mover(EntryForm form, storage::Store& store, world::Failure& failure)
    : form_(std::move(form)), store_(store), failure_(failure) {}

Mover::~Mover() {
  stop();
}

void Mover::stop() {
  closed_.store(true, std::memory_order_release);
  work_.notify();
  if (pool_) {
    pool_->wait_idle();
    pool_->stop();
  }
  {
    const std::lock_guard lock(removal_mutex_);
    no_more_removals_ = true;
    removals_changed_.notify_all();
  }
  removing_.join();
  on_raise_ = {};
}

std::unique_ptr<Mover::Job> Mover::job_of(Port& port, EntryOp& op) {
  auto job = std::make_unique<Job>();
  job->port = &port;
  job->op = &op;
  op.is_split = form_.is_split;
  op.completed_ns = op.total_ns = op.device_ns = op.host_ns = 0;
  op.moved = {};
  storage::ObjectSpec spec;
  spec.name = name_of(port, op.name);
  spec.size_bytes = op.bytes + form_.header_bytes;
  spec.part_bytes = part_bytes_;
  spec.payload = payload::Source(form_.seed, spec.name);
  if (form_.header_bytes > 0) {
    job->content = std::make_unique<WithHeader>(form_.header(op.bytes), spec.payload);
    spec.content = job->content.get();
  }
  job->object = store_.object(std::move(spec));
  job->made_ns = now_ns();
  return job;
}

void Mover::begin(Port& port, std::span<EntryOp* const> ops) {
  std::vector<std::unique_ptr<Job>> jobs;
  jobs.reserve(ops.size());
  for (EntryOp* op : ops) jobs.push_back(job_of(port, *op));
  {
    const std::lock_guard lock(mutex_);
    for (std::unique_ptr<Job>& job : jobs) {
      Job* const added = job.get();
      jobs_.emplace(added, std::move(job));
      put_back(*added);
    }
  }
  work_.notify(static_cast<uint32_t>(ops.size()));
}

/// Makes a job's next step available, if it has one; returns whether it did. With the lock held.
bool Mover::put_back(Job& job) {
  const bool has_step = !job.begun ? !job.opening : job.cut ? job.in_flight == 0 : job.has_parts();
  if (!has_step || job.is_ready || (job.begun && job.in_flight >= form_.parts_at_once)) return false;
  job.is_ready = true;
  ready_.push_back(&job);
  return true;
}

/// Takes a step of the job that has waited longest, and describes it in `operation`. Returns nothing if there is none.
Mover::Job* Mover::take(storage::Operation& operation) {
  const std::lock_guard lock(mutex_);
  while (!ready_.empty()) {
    Job& job = *ready_.front();
    ready_.pop_front();
    job.is_ready = false;
    if (job.cut && job.in_flight > 0) continue;  // the last of them ends the job
    if (job.cut && !job.begun) {
      finish(job);
      continue;
    }
    const bool writes = job.op->writes;
    operation.object = job.object.get();
    if (job.cut) {
      operation.kind = writes ? OpKind::kAbortWrite : OpKind::kEndRead;
      job.aborting = true;
    } else if (!job.begun) {
      operation.kind = writes ? OpKind::kBeginWrite : OpKind::kBeginRead;
      job.opening = true;
      job.op->client_ns = now_ns() - job.made_ns;
    } else {
      operation.kind = writes ? OpKind::kWritePart : OpKind::kReadPart;
      operation.part = job.next_part++;
    }
    ++job.in_flight;
    if (!job.cut) put_back_and_wake(job);
    return &job;
  }
  return nullptr;
}

/// Turns the slot to the last operation of a job whose parts have all been moved, or which is to be given up and has
/// nothing else in flight. With the lock held.
bool Mover::end_of(Job& job, io::Slot& slot) {
  if (job.in_flight > 0 || job.is_ready) return false;
  const bool whole = job.done_parts == job.object->part_count();
  if (!whole && !job.cut) return false;
  const bool writes = job.op->writes;
  slot.operation.kind = !writes ? OpKind::kEndRead : whole && !job.cut ? OpKind::kCommitWrite : OpKind::kAbortWrite;
  job.aborting = job.aborting || slot.operation.kind == OpKind::kAbortWrite;
  ++job.in_flight;
  return true;
}

/// A job has ended: its rank learns of it. With the lock held.
void Mover::finish(Job& job) {
  EntryOp& op = *job.op;
  op.is_cut = job.cut;
  if (!form_.is_split) op.total_ns = op.completed_ns - job.first_ns;
  if (op.completed_ns == 0) op.completed_ns = now_ns();
  Port& port = *job.port;
  jobs_.erase(&job);
  port.post(op);
}

void Mover::cut(Port& port) {
  const std::lock_guard lock(mutex_);
  for (const auto& [job, owned] : jobs_) {
    if (job->port == &port) job->cut = true;
  }
  work_.notify();
}

void Mover::remove(Port& port, const std::string& name) {
  const std::lock_guard lock(removal_mutex_);
  removals_.push_back(name_of(port, name));
  removals_changed_.notify_all();
}

void Mover::serve_removals() {
  std::unique_lock lock(removal_mutex_);
  for (;;) {
    removals_changed_.wait(lock, [this] { return no_more_removals_ || !removals_.empty(); });
    if (removals_.empty() || failure_.raised()) return;
    const std::string name = std::move(removals_.front());
    removals_.pop_front();
    lock.unlock();
    const Status removed = remover_->remove(name);
    if (!removed) failure_.raise(removed.error());
    lock.lock();
  }
}

io::Stats Mover::stats() const {
  io::Stats sum;
  for (const auto& source : sources_) merge<io::Stats>(sum, source->stats());
  return sum;
}

}  // namespace mlps::kvcache
