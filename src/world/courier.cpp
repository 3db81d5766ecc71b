#include "world/courier.hpp"

#include <fmt/format.h>
#include <sys/prctl.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <mutex>

#include "base/event_count.hpp"
#include "base/threads.hpp"

namespace mlps::world {
namespace {

constexpr Nanos kIdleNs = 5'000'000;         // between looks at the wire while nobody asks for anything
constexpr Nanos kLookNs = 500'000'000;       // between a caller's looks at whether the courier still turns
constexpr Nanos kFinishNs = 30'000'000'000;  // MPI_Finalize may wait for the slowest host's clean-up
constexpr Nanos kOutputNs = 200'000'000;
constexpr Nanos kAbortNs = 3'000'000'000;
constexpr unsigned long kTimerSlackNs = 1'000;

// A call on its way to the courier. It owns what it needs: a caller that gave up may be gone when the courier gets to
// it.
struct Request {
  std::function<Status(Peers&, Request&)> work;
  Bytes bytes = {};
  std::vector<Bytes> all = {};
  std::vector<double> values = {};
  Status outcome = {};
  std::atomic<bool> done{false};
};

// What courier and transport share. The courier keeps it alive, since a thread that hangs in MPI can't be ended.
struct Shared {
  Shared(std::shared_ptr<Failure> f, const LinkLimits& l) : failure(std::move(f)), limits(l) {}

  const std::shared_ptr<Failure> failure;
  const LinkLimits limits;
  std::mutex mutex;
  std::shared_ptr<Request> posted;
  EventCount asked;     // for the courier
  EventCount answered;  // for callers
  std::atomic<bool> stop{false};
  std::atomic<bool> ended{false};
  std::atomic<Nanos> turned_ns{now_ns()};

  void end() {
    ended = true;
    answered.notify();
  }
};

void post(Shared& shared, std::shared_ptr<Request> request) {
  {
    const std::lock_guard lock(shared.mutex);
    shared.posted = std::move(request);
  }
  shared.asked.notify();
}

void carry_out(Shared& shared, Peers& peers) {
  std::shared_ptr<Request> request;
  {
    const std::lock_guard lock(shared.mutex);
    request = std::exchange(shared.posted, nullptr);
  }
  if (!request) return;
  request->outcome = request->work(peers, *request);
  request->done.store(true, std::memory_order_release);
  shared.answered.notify();
}

void serve(Shared& shared, Peers& peers) {
  while (!shared.stop) {
    const uint32_t heard = shared.asked.prepare_wait();
    carry_out(shared, peers);
    if (!peers.turn()) shared.asked.wait(heard, now_ns() + kIdleNs);
  }
}

// The whole life of the courier thread; the first request is the introduction.
void run_courier(const std::shared_ptr<Shared>& shared, const OpenWire& open) {
  ::prctl(PR_SET_TIMERSLACK, kTimerSlackNs);
  Result<std::unique_ptr<Wire>> wire = open();
  if (wire) {
    Peers peers(std::move(*wire), *shared->failure, shared->limits, shared->turned_ns);
    serve(*shared, peers);
  } else {
    shared->failure->raise(std::move(wire.error()));
  }
  shared->end();
}

class CourierTransport final : public Transport {
 public:
  explicit CourierTransport(const LinkLimits& limits) : shared_(std::make_shared<Shared>(failure_, limits)) {}
  CourierTransport(const CourierTransport&) = delete;
  CourierTransport& operator=(const CourierTransport&) = delete;
  ~CourierTransport() override;

  void start(OpenWire open, const Introduction& me);

  uint32_t index() const override { return index_; }
  uint32_t size() const override { return static_cast<uint32_t>(members_.size()); }
  const std::vector<Member>& members() const override { return members_; }
  Status barrier() override;
  Status broadcast(Bytes& bytes) override;
  Result<std::vector<Bytes>> gather(Bytes mine) override;
  Status reduce(Reduction reduction, std::span<double> values) override;
  bool lost(uint32_t process) override;
  Status close(Nanos limit_ns) override;
  [[noreturn]] void end_job(int exit_status) override;

 private:
  Status call(const std::shared_ptr<Request>& request, Nanos silence_ns);
  Status call(const std::shared_ptr<Request>& request) { return call(request, shared_->limits.lost_after_ns); }

  const std::shared_ptr<Shared> shared_;
  std::mutex calls_;
  Threads thread_;
  Failure::Subscription wake_;
  uint32_t index_ = 0;
  std::vector<Member> members_;
};

std::shared_ptr<Request> request_for(std::function<Status(Peers&, Request&)> work) {
  auto request = std::make_shared<Request>();
  request->work = std::move(work);
  return request;
}

void CourierTransport::start(OpenWire open, const Introduction& me) {
  wake_ = failure_->on_raise([shared = shared_] {
    shared->asked.notify();
    shared->answered.notify();
  });
  struct Found {
    uint32_t index = 0;
    std::vector<Member> members;
  };
  const auto found = std::make_shared<Found>();
  const auto request = request_for([me, found](Peers& peers, Request&) {
    Status done = peers.introduce(me);
    found->index = peers.index();
    found->members = peers.members();
    return done;
  });
  auto thread = Threads::start(1,
                               {"MPI threads",
                                {},
                                [shared = shared_](Error error) {
                                  shared->failure->raise(std::move(error));
                                  shared->end();
                                }},
                               [shared = shared_, open = std::move(open)](size_t) { run_courier(shared, open); });
  if (!thread) return failure_->raise(std::move(thread.error()));
  thread_ = std::move(*thread);
  // What the introduction failed of stands in the failure state. Without an answer nothing may be read: it may be late.
  (void)call(request, shared_->limits.start_ns);
  if (!request->done.load(std::memory_order_acquire)) return;
  index_ = found->index;
  members_ = found->members;
}

// Waits for the courier's answer. The courier keeps the limits of the calls; what is watched here is only that no call
// of the MPI library swallowed it.
Status CourierTransport::call(const std::shared_ptr<Request>& request, Nanos silence_ns) {
  const Nanos begin = now_ns();
  const std::lock_guard one_at_a_time(calls_);
  post(*shared_, request);
  for (;;) {
    const uint32_t heard = shared_->answered.prepare_wait();
    if (request->done.load(std::memory_order_acquire)) return request->outcome;
    if (shared_->ended || !thread_.running()) return fail(*failure_->first());
    const Nanos silent = now_ns() - std::max(shared_->turned_ns.load(), begin);
    if (silent > silence_ns) {
      failure_->raise(
          {ErrorCode::kMpiCommunication,
           fmt::format("the MPI library has not returned from a call for {:g} s", to_seconds(silent)),
           {},
           "try another transport of the MPI library, for example --mpi-btl tcp, or name the interface to use"});
      return fail(*failure_->first());
    }
    shared_->answered.wait(heard, now_ns() + kLookNs);
  }
}

Status CourierTransport::barrier() {
  return call(request_for([](Peers& peers, Request&) { return peers.barrier(); }));
}

Status CourierTransport::broadcast(Bytes& bytes) {
  const auto request = request_for([](Peers& peers, Request& self) { return peers.broadcast(self.bytes); });
  if (index_ == 0) request->bytes = bytes;
  Status done = call(request);
  if (done && index_ != 0) bytes = std::move(request->bytes);
  return done;
}

Result<std::vector<Bytes>> CourierTransport::gather(Bytes mine) {
  const auto request = request_for([](Peers& peers, Request& self) -> Status {
    Result<std::vector<Bytes>> all = peers.gather(std::move(self.bytes));
    if (!all) return fail(std::move(all.error()));
    self.all = std::move(*all);
    return {};
  });
  request->bytes = std::move(mine);
  if (Status done = call(request); !done) return fail(std::move(done.error()));
  return std::move(request->all);
}

Status CourierTransport::reduce(Reduction reduction, std::span<double> values) {
  const auto request =
      request_for([reduction](Peers& peers, Request& self) { return peers.reduce(reduction, self.values); });
  request->values.assign(values.begin(), values.end());
  Status done = call(request);
  if (done) std::copy(request->values.begin(), request->values.end(), values.begin());
  return done;
}

bool CourierTransport::lost(uint32_t process) {
  const auto request = request_for([process](Peers& peers, Request& self) -> Status {
    self.values = {peers.lost(process) ? 1.0 : 0.0};
    return {};
  });
  return call(request) && request->values.front() > 0;
}

Status CourierTransport::close(Nanos limit_ns) {
  return call(request_for([limit_ns](Peers& peers, Request&) { return peers.close(limit_ns); }), kFinishNs);
}

void CourierTransport::end_job(int exit_status) {
  std::fflush(nullptr);
  if (thread_.running() && !shared_->ended) {
    // Launchers forward output in their own time, and drop what they have not read when the job is aborted.
    sleep_for(kOutputNs);
    const auto request = request_for([exit_status](Peers& peers, Request&) -> Status {
      peers.abort(exit_status);
      return {};
    });
    post(*shared_, request);
    for (const Nanos deadline = now_ns() + kAbortNs; now_ns() < deadline;) {
      const uint32_t heard = shared_->answered.prepare_wait();
      if (request->done.load(std::memory_order_acquire)) break;
      shared_->answered.wait(heard, deadline);
    }
  }
  std::_Exit(exit_status);
}

CourierTransport::~CourierTransport() {
  wake_ = {};
  shared_->stop = true;
  shared_->asked.notify();
  if (!thread_.running()) return;
  for (const Nanos deadline = now_ns() + shared_->limits.heartbeat_ns; !shared_->ended && now_ns() < deadline;) {
    const uint32_t heard = shared_->answered.prepare_wait();
    if (!shared_->ended) shared_->answered.wait(heard, deadline);
  }
  if (shared_->ended) {
    thread_.join();
  } else {
    thread_.detach();  // hangs in a call of the MPI library; it holds all that it uses
  }
}

}  // namespace

std::unique_ptr<Transport> start_courier(OpenWire open, const Introduction& me, const LinkLimits& limits) {
  auto transport = std::make_unique<CourierTransport>(limits);
  transport->start(std::move(open), me);
  return transport;
}

}  // namespace mlps::world
