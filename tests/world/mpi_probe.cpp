// One process of an MPI job, for mpi_test.py: does one thing over the transport and says what it saw, a JSON line each.
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <thread>

#include "world/mpi_thread.hpp"
#include "world/host_facts.hpp"
#include "world/mpi/mpi_wire.hpp"

namespace mlps::world {
namespace {

constexpr Nanos kSecond = 1'000'000'000;

void say(const Transport& transport, const std::string& what) {
  fmt::print("{{\"process\": {}, {}}}\n", transport.index(), what);
  std::fflush(stdout);
}

bool check(bool good, const char* what) {
  if (!good) fmt::print(stderr, "wrong: {}\n", what);
  return good;
}

bool collectives(Transport& transport) {
  const uint32_t me = transport.index(), size = transport.size();
  const Bytes big = std::string(10'000'000, 'm') + "end";
  Bytes bytes = me == 0 ? big : "";
  bool good = check(transport.barrier().has_value(), "barrier");
  good &= check(transport.broadcast(bytes).has_value() && bytes == big, "broadcast of 10 MB");
  const auto all = transport.gather(Bytes(me * 100'000, 'g'));
  good &= check(all.has_value() && all->size() == (me == 0 ? size : 0), "gather");
  for (uint32_t i = 0; all && i < all->size(); ++i) good &= check((*all)[i].size() == i * 100'000, "gathered size");
  double values[] = {1, static_cast<double>(me)};
  good &= check(transport.reduce(Reduction::kSum, values).has_value(), "sum");
  good &= check(values[0] == size && values[1] == size * (size - 1) / 2.0, "value of sum");
  double most = me;
  good &= check(transport.reduce(Reduction::kMax, {&most, 1}).has_value() && most == size - 1, "max");
  return good;
}

void time_barriers(Transport& transport) {
  constexpr int kBarriers = 1000;
  for (int i = 0; i < 10; ++i) (void)transport.barrier();
  const Nanos begin = now_ns();
  for (int i = 0; i < kBarriers; ++i) (void)transport.barrier();
  const double us = to_seconds(now_ns() - begin) * 1e6 / kBarriers;
  if (transport.index() == 0) say(transport, fmt::format("\"barrier_us\": {:.1f}", us));
}

// Waits at a barrier for somebody who won't come; what ended the wait is the first cause.
void wait_for_failure(Transport& transport) {
  const Status done = transport.barrier();
  const std::string message = done ? "the barrier was passed" : message_with_host(done.error());
  say(transport, fmt::format("\"failure\": \"{}\"", message));
}

int end(Transport& transport, Nanos limit) {
  if (!transport.close(limit)) transport.end_job(exit_code(transport.failure().first()->code));
  return 0;
}

int run(Transport& transport, const std::string& scenario) {
  if (transport.failure().raised()) {
    fmt::print(stderr, "{}\n", render(*transport.failure().first()));
    say(transport, fmt::format("\"failure\": \"{}\"", message_with_host(*transport.failure().first())));
    return end(transport, 5 * kSecond);
  }
  const ClockOffset& clock = transport.members().back().clock;
  say(transport,
      fmt::format("\"host\": \"{}\", \"pid\": {}, \"clock_ns\": {}, \"clock_error_ns\": {}",
                  transport.members()[transport.index()].host, ::getpid(), clock.monotonic_ns, clock.error_ns));
  if (scenario == "collectives") {
    if (!collectives(transport)) return 9;
    time_barriers(transport);
  } else if (scenario == "raise") {
    if (transport.index() == 1) {
      transport.failure().raise({ErrorCode::kDiskFull, "write /x: no space"}, 17);
    } else {
      wait_for_failure(transport);
    }
  } else if (scenario == fmt::format("wait{}", transport.index())) {
    ::pause();  // until mpi_test.py kills or stops this process
  } else {
    wait_for_failure(transport);
  }
  return end(transport, 5 * kSecond);
}

int probe(const std::string& scenario, const std::string& folder) {
  const auto launched = launched_by(Environment::of_process());
  if (!launched) {
    fmt::print(stderr, "{}\n", render(launched.error()));
    return exit_code(launched.error().code);
  }
  if (!*launched) {
    LocalTransport alone;
    return run(alone, scenario);
  }
  const uint32_t index = (*launched)->index.value_or(0);
  Introduction me{"probe 1", fmt::format("h{}", index), ::getpid()};
  if (scenario == "version" && index == 1) me.version = "probe 2";
  const auto open = [&] { return open_mpi_wire(**launched, folder.empty() ? plugin_folders() : std::vector{folder}); };
  const auto transport = start_mpi_thread(open, me);
  if (scenario == "collectives" && index == 0) fmt::print(stderr, "joined {}\n", (*launched)->launcher);
  return run(*transport, scenario);
}

}  // namespace
}  // namespace mlps::world

// mpi_probe SCENARIO [PLUGIN_FOLDER]
int main(int argc, char** argv) {
  return mlps::world::probe(argc > 1 ? argv[1] : "collectives", argc > 2 ? argv[2] : "");
}
