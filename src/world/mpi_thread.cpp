#include "world/mpi_thread.hpp"

#include <fmt/format.h>
#include <sys/prctl.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <mutex>

#include "base/threads.hpp"
#include "base/waiting.hpp"
#include "world/request_slot.hpp"

namespace mlps::world {
namespace {

constexpr Nanos kIdleNs = 5'000'000;         // between calls of MPI while nobody asks for anything
constexpr Nanos kLookNs = 500'000'000;       // between a caller's looks at whether the MPI thread still makes progress
constexpr Nanos kFinishNs = 30'000'000'000;  // MPI_Finalize may wait for the slowest host's clean-up
constexpr Nanos kOutputNs = 200'000'000;
constexpr Nanos kAbortNs = 3'000'000'000;
constexpr unsigned long kTimerSlackNs = 1'000;

// A call on its way to the MPI thread. It owns what it needs: a caller that gave up may be gone when it is carried out.
struct Request {
  std::function<Status(PeerGroup&, Request&)> work;
  Bytes bytes = {};
  std::vector<Bytes> all = {};
  std::vector<double> values = {};
  Status outcome = {};
  std::atomic<bool> done{false};
};

using RequestSlot = BasicRequestSlot<RealSync, Request>;

// What the MPI thread and the transport share. The thread keeps it alive, since one that hangs in MPI can't be ended.
struct Shared {
  Shared(std::shared_ptr<Failure> f, const LinkLimits& l) : failure(std::move(f)), limits(l) {}

  const std::shared_ptr<Failure> failure;
  const LinkLimits limits;
  RequestSlot requests;
  std::atomic<Nanos> progressed_ns{now_ns()};
};

// The whole life of the MPI thread; the first request is the introduction.
void run_mpi_thread(Shared& shared, const OpenWire& open) {
  ::prctl(PR_SET_TIMERSLACK, kTimerSlackNs);
  Result<std::unique_ptr<Wire>> wire = open();
  if (wire) {
    PeerGroup group(std::move(*wire), *shared.failure, shared.limits, shared.progressed_ns);
    shared.requests.serve([&](Request& request) { request.outcome = request.work(group, request); },
                          [&] { return group.progress(); }, kIdleNs);
  } else {
    shared.failure->raise(std::move(wire.error()));
  }
  shared.requests.end();
}

class MpiThreadTransport final : public Transport {
 public:
  explicit MpiThreadTransport(const LinkLimits& limits) : shared_(std::make_shared<Shared>(failure_, limits)) {}
  MpiThreadTransport(const MpiThreadTransport&) = delete;
  MpiThreadTransport& operator=(const MpiThreadTransport&) = delete;
  ~MpiThreadTransport() override;

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

std::shared_ptr<Request> request_for(std::function<Status(PeerGroup&, Request&)> work) {
  auto request = std::make_shared<Request>();
  request->work = std::move(work);
  return request;
}

void MpiThreadTransport::start(OpenWire open, const Introduction& me) {
  wake_ = failure_->on_raise([shared = shared_] { shared->requests.wake(); });
  struct Introduced {
    uint32_t index = 0;
    std::vector<Member> members;
  };
  const auto found = std::make_shared<Introduced>();
  const auto request = request_for([me, found](PeerGroup& group, Request&) {
    Status done = group.introduce(me);
    found->index = group.index();
    found->members = group.members();
    return done;
  });
  const auto on_error = [shared = shared_](Error error) {
    shared->failure->raise(std::move(error));
    shared->requests.end();
  };
  auto thread = Threads::start(1, {"MPI threads", {}, on_error},
                               [shared = shared_, open = std::move(open)](size_t) { run_mpi_thread(*shared, open); });
  if (!thread) return on_error(std::move(thread.error()));
  thread_ = std::move(*thread);
  // Why the introduction failed is in the failure state. Without an answer nothing may be read: it may come late.
  (void)call(request, shared_->limits.start_ns);
  if (!request->done.load(std::memory_order_acquire)) return;
  index_ = found->index;
  members_ = found->members;
}

// Waits for the answer of the MPI thread. That thread keeps the limits of the calls; what is watched here is only
// whether a call of the MPI library has not returned.
Status MpiThreadTransport::call(const std::shared_ptr<Request>& request, Nanos silence_ns) {
  const Nanos begin = now_ns();
  const std::lock_guard one_at_a_time(calls_);
  const auto silent_for = [&] { return now_ns() - std::max(shared_->progressed_ns.load(), begin); };
  shared_->requests.post(request);
  switch (shared_->requests.wait(*request, kLookNs, [&] { return silent_for() > silence_ns; })) {
    case RequestSlot::Outcome::kDone:
      return request->outcome;
    case RequestSlot::Outcome::kServerEnded:
      break;
    case RequestSlot::Outcome::kGivenUp:
      failure_->raise(
          {ErrorCode::kMpiCommunication,
           fmt::format("the MPI library has not returned from a call for {:g} s", to_seconds(silent_for())),
           {},
           "try another transport of the MPI library, for example --mpi-btl tcp, or name the interface to use"});
  }
  return fail(failure_->first().value_or(Error{ErrorCode::kInternal, "a call came after the end of the MPI thread"}));
}

Status MpiThreadTransport::barrier() {
  return call(request_for([](PeerGroup& group, Request&) { return group.barrier(); }));
}

Status MpiThreadTransport::broadcast(Bytes& bytes) {
  const auto request = request_for([](PeerGroup& group, Request& self) { return group.broadcast(self.bytes); });
  if (index_ == 0) request->bytes = bytes;
  Status done = call(request);
  if (done && index_ != 0) bytes = std::move(request->bytes);
  return done;
}

Result<std::vector<Bytes>> MpiThreadTransport::gather(Bytes mine) {
  const auto request = request_for([](PeerGroup& group, Request& self) -> Status {
    Result<std::vector<Bytes>> all = group.gather(std::move(self.bytes));
    if (!all) return fail(std::move(all.error()));
    self.all = std::move(*all);
    return {};
  });
  request->bytes = std::move(mine);
  if (Status done = call(request); !done) return fail(std::move(done.error()));
  return std::move(request->all);
}

Status MpiThreadTransport::reduce(Reduction reduction, std::span<double> values) {
  const auto request =
      request_for([reduction](PeerGroup& group, Request& self) { return group.reduce(reduction, self.values); });
  request->values.assign(values.begin(), values.end());
  Status done = call(request);
  if (done) std::copy(request->values.begin(), request->values.end(), values.begin());
  return done;
}

bool MpiThreadTransport::lost(uint32_t process) {
  const auto request = request_for([process](PeerGroup& group, Request& self) -> Status {
    self.values = {group.is_dead(process) ? 1.0 : 0.0};
    return {};
  });
  return call(request) && request->values.front() > 0;
}

Status MpiThreadTransport::close(Nanos limit_ns) {
  return call(request_for([limit_ns](PeerGroup& group, Request&) { return group.close(limit_ns); }), kFinishNs);
}

void MpiThreadTransport::end_job(int exit_status) {
  std::fflush(nullptr);
  if (thread_.running() && !shared_->requests.ended()) {
    // Launchers forward output in their own time, and drop what they have not read when the job is aborted.
    sleep_for(kOutputNs);
    const auto request = request_for([exit_status](PeerGroup& group, Request&) -> Status {
      group.abort(exit_status);
      return {};
    });
    shared_->requests.post(request);
    (void)shared_->requests.wait(*request, kAbortNs, [deadline = now_ns() + kAbortNs] { return now_ns() >= deadline; });
  }
  std::_Exit(exit_status);
}

MpiThreadTransport::~MpiThreadTransport() {
  wake_ = {};
  if (!thread_.running()) return;
  if (shared_->requests.stop(now_ns() + shared_->limits.heartbeat_ns)) {
    thread_.join();
  } else {
    thread_.detach();  // it hangs in a call of the MPI library, and holds all that it uses
  }
}

}  // namespace

std::unique_ptr<Transport> start_mpi_thread(OpenWire open, const Introduction& me, const LinkLimits& limits) {
  auto transport = std::make_unique<MpiThreadTransport>(limits);
  transport->start(std::move(open), me);
  return transport;
}

}  // namespace mlps::world
