// Failures by the thousand: every kind, before and after the server has done what it was asked, at every kind of
// request of S3, Azure and Google's JSON API, with one to four endpoints, of which one may go wrong as a whole. No
// byte, object or upload may be lost or left, no operation may outlast the patience, and every attempt that failed must
// be counted at its endpoint by its cause.
//
// MLPS_FAULTS says how many (`make test-long`: 10,000). A case is decided by MLPS_FAULT_SEED and its number alone;
// MLPS_FAULT_CASE runs that one, and tells what happened in it.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <mutex>
#include <set>
#include <thread>

#include "base/log.hpp"
#include "base/text.hpp"
#include "object_store_test.hpp"
#include "player.hpp"

namespace mlps::test {
namespace {

constexpr Nanos kSecond = 1'000'000'000;
constexpr size_t kWorkers = 8;
constexpr size_t kMostPorts = 4;

uint64_t number_of(const char* variable, uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text != nullptr ? parse_number<uint64_t>(text).value_or(otherwise) : otherwise;
}

object::TransferSettings patient(unsigned seconds, unsigned stall_seconds) {
  object::TransferSettings settings;
  shorten_waits(settings);
  settings.retry.max_attempts = 10;
  settings.retry.patience = std::chrono::seconds(seconds);
  settings.stall_seconds = settings.commit_stall_seconds = stall_seconds;
  settings.probe_seconds = 1;
  return settings;
}

/// What all workers found.
class Findings {
 public:
  void add(Protocol protocol, const Disturber::Tally& tally) {
    const std::lock_guard lock(mutex_);
    failures_ += tally.failures;
    for (const auto& [what, times] : tally.met) {
      auto& [name, request] = what;
      faults_[protocol][name] += times;
      requests_[protocol][request] += times;
      pairs_.insert({protocol, name, request});
    }
  }
  void wrong(const std::string& text) {
    const std::lock_guard lock(mutex_);
    ++wrong_;
    if (wrong_ <= 3) ADD_FAILURE() << text;
  }
  uint64_t failures() const {
    const std::lock_guard lock(mutex_);
    return failures_;
  }
  bool is_clean() const {
    const std::lock_guard lock(mutex_);
    return wrong_ == 0;
  }
  uint64_t faults(const std::string& name) {
    uint64_t times = 0;
    for (auto& [protocol, counts] : faults_) times += counts[name];
    return times;
  }
  uint64_t requests(Protocol protocol, const std::string& kind) { return requests_[protocol][kind]; }

  void print(uint64_t cases) const {
    fmt::print("{} failures in {} cases: {} pairs of a fault and a request of some protocol\n", failures_, cases,
               pairs_.size());
    for (const auto& [protocol, counts] : faults_) {
      fmt::print("  {}:", static_cast<int>(protocol) == 0 ? "s3" : static_cast<int>(protocol) == 1 ? "az" : "gs");
      for (const auto& [name, times] : counts) fmt::print(" {} {},", times, name);
      fmt::print("\n");
    }
  }

 private:
  mutable std::mutex mutex_;
  uint64_t failures_ = 0;
  uint64_t wrong_ = 0;
  std::map<Protocol, std::map<std::string, uint64_t>> faults_, requests_;
  std::set<std::tuple<Protocol, std::string, std::string>> pairs_;
};

/// Runs `work` with 0, 1, 2, ... on several threads until it returns false.
void with_workers(const std::function<bool(uint64_t)>& work) {
  std::atomic<uint64_t> next = 0;
  std::vector<std::thread> workers;
  for (size_t i = 0; i < kWorkers; ++i) {
    workers.emplace_back([&] {
      while (work(next++)) {
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
}

/// Compares what the client has counted with what was done to it. At a port that was broken in the middle of things the
/// client counts more: requests that the server never got.
std::string compare(const std::vector<storage::ServerUse>& uses, const Disturber::Tally& tally,
                    std::optional<size_t> broken) {
  std::string wrong;
  Causes counted;
  for (size_t port = 0; port < uses.size(); ++port) {
    uint64_t sum = 0;
    for (const auto& one : uses[port].failures) counted[{port, one.cause}] = one.count, sum += one.count;
    if (sum != uses[port].failed)
      wrong += fmt::format("{} failed at port {}, {} by cause\n", uses[port].failed, port, sum);
  }
  Causes left = counted;
  std::map<size_t, uint64_t> missing_early;
  for (const auto& [where, times] : tally.causes) {
    const uint64_t found = counted[where];
    if (found < times) wrong += fmt::format("port {}: {} {}, {} counted\n", where.first, times, where.second, found);
    left[where] -= std::min(found, times);
  }
  // What was answered before the body had come may be seen, or the reset behind it.
  for (const auto& [where, times] : tally.early) {
    const uint64_t seen = std::min(left[where], times);
    left[where] -= seen;
    const std::pair lost(where.first, std::string("connection lost"));
    if (left[lost] < times - seen)
      wrong += fmt::format("port {}: {} {} not counted\n", where.first, times, where.second);
    left[lost] -= std::min(left[lost], times - seen);
  }
  for (const auto& [where, times] : left) {
    const auto spare = tally.leftovers.find(where.first);
    const bool by_leftovers = where.second == "not HTTP" && spare != tally.leftovers.end() && times <= spare->second;
    if (times == 0 || by_leftovers || where.first == broken) continue;
    wrong += fmt::format("port {}: {} {} counted that nobody made\n", where.first, times, where.second);
  }
  return wrong;
}

/// One case: a service, a store, and what goes wrong.
void play_case(uint64_t seed, uint64_t number, bool tell, Findings& findings) {
  const uint64_t draw = mixed(seed, number);
  const auto protocol = static_cast<Protocol>(number % kProtocols);
  const size_t ports = 1 + (draw >> 8) % kMostPorts;
  const auto service = make_service(protocol, ports);
  Disturber disturber(*service, draw);
  disturber.attach();
  Player player(*service, disturber, patient(20, 3), 30 * kSecond);

  std::optional<size_t> broken;
  std::string how;
  if (ports > 1 && (draw >> 16) % 4 == 0) {
    broken = (draw >> 24) % ports;
    const auto kinds = fault_kinds(protocol);
    const FaultKind* kind = nullptr;
    constexpr std::array kWays = {"cut", "hang", "reset", "502", "503"};
    how = kWays[(draw >> 32) % kWays.size()];
    for (const FaultKind* one : kinds) kind = one->name == how ? one : kind;
    auto& moment = (draw >> 40) % 2 == 0 ? player.while_writing : player.while_reading;
    moment = [&service, &disturber, port = *broken, kind] {
      kind == nullptr ? service->server().cut_port(port) : disturber.break_port(port, *kind);
    };
  }
  std::string wrong = player.play();
  const auto uses = player.uses();
  const Disturber::Tally tally = disturber.tally();
  wrong += compare(uses, tally, broken);
  findings.add(protocol, tally);
  const std::string story =
      fmt::format("case {} of seed {}, {} with {} endpoints{}:\n{}", number, seed, service->name(), ports,
                  broken ? fmt::format(", of which {} goes wrong ({})", *broken, how) : "", tally.story);
  if (tell) fmt::print("{}", story);
  if (!wrong.empty()) findings.wrong(wrong + story);
}

class Campaign : public ::testing::Test {
 protected:
  Campaign() { log::configure({.threshold = LogLevel::kNone}); }
  ~Campaign() override { log::configure({}); }

  const uint64_t seed = number_of("MLPS_FAULT_SEED", 1);
  const uint64_t wanted = number_of("MLPS_FAULTS", 200);
};

TEST_F(Campaign, CostsNoByteNoObjectNoUploadAndIsCounted) {
  Findings findings;
  if (std::getenv("MLPS_FAULT_CASE") != nullptr) {
    return play_case(seed, number_of("MLPS_FAULT_CASE", 0), true, findings);
  }
  std::atomic<uint64_t> cases = 0;
  with_workers([&](uint64_t number) {
    if (findings.failures() >= wanted || !findings.is_clean()) return false;
    play_case(seed, number, false, findings);
    ++cases;
    return true;
  });
  findings.print(cases);
  if (wanted < 5000) return;  // too few to meet all
  for (const Protocol protocol : {Protocol::kS3, Protocol::kAzure, Protocol::kGoogle}) {
    // Not all kinds happen to every protocol: Google's parts are too small here to be cut in the middle.
    for (const FaultKind* kind : fault_kinds(protocol)) EXPECT_GT(findings.faults(kind->name), 0U) << kind->name;
    for (const std::string& kind : request_kinds(protocol)) EXPECT_GT(findings.requests(protocol, kind), 0U) << kind;
  }
}

/// One kind of request that never succeeds, in one way.
struct Permanent {
  Protocol protocol;
  const FaultKind* kind;
  std::string request;
  bool after;
};

std::vector<Permanent> all_permanent() {
  const std::set<std::string> lasting = {"reset", "hang", "500", "503", "504", "429"};
  std::vector<Permanent> all;
  for (const Protocol protocol : {Protocol::kS3, Protocol::kAzure, Protocol::kGoogle}) {
    for (const FaultKind* kind : fault_kinds(protocol)) {
      for (const std::string& request : request_kinds(protocol)) {
        if (!lasting.contains(kind->name)) continue;
        if (kind->when != FaultKind::When::kAfter) all.push_back({protocol, kind, request, false});
        if (kind->when != FaultKind::When::kBefore) all.push_back({protocol, kind, request, true});
      }
    }
  }
  return all;
}

void endure_case(const Permanent& one, uint64_t number, uint64_t seed, Findings& findings) {
  const size_t ports = 1 + mixed(seed, number) % kMostPorts;
  const auto service = make_service(one.protocol, ports);
  Disturber disturber(*service, seed);
  disturber.attach();
  object::TransferSettings settings = patient(1, 1);
  settings.retry.max_attempts = 2;
  Player player(*service, disturber, settings, 30 * kSecond);
  std::string wrong = player.endure(
      [&] {
        disturber.always(*one.kind, one.request, one.after);
        disturber.disturb_bucket(looks_at_bucket(one.request));
      },
      [&] { disturber.never(); });
  player.uses();
  if (wrong.empty()) return;
  std::string story = disturber.tally().story;
  if (story.size() > 4000) story = story.substr(0, 2000) + "...\n" + story.substr(story.size() - 2000);
  findings.wrong(fmt::format("{}{} always fails: {}{}, {} endpoints\n{}", wrong, one.request, one.kind->name,
                             one.after ? ", carried out" : "", ports, story));
}

TEST_F(Campaign, WhatNeverSucceedsEndsWithinThePatienceAndLeavesNothing) {
  const std::vector<Permanent> all = all_permanent();
  // A few, chosen by the seed, or all.
  const size_t step = wanted < 5000 ? 16 : 1;
  Findings findings;
  with_workers([&](uint64_t number) {
    const size_t at = seed % step + number * step;
    if (at >= all.size() || !findings.is_clean()) return false;
    endure_case(all[at], at, seed, findings);
    return true;
  });
  fmt::print("{} of {} permanent failures\n", (all.size() + step - 1) / step, all.size());
}

}  // namespace
}  // namespace mlps::test
