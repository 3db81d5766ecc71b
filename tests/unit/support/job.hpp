#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <thread>
#include <vector>

#include "../support/fake_net.hpp"
#include "world/courier.hpp"

namespace mlps::testing {

/// Runs `work` as every process of a job of `size` hosts, named a, b, c ...: a thread each, with a courier of its own
/// over a net in memory. Limits are wide, for machines that are busy.
inline void run_job(uint32_t size, const std::function<void(world::Transport&)>& work) {
  world::FakeNet net(size);
  world::LinkLimits limits;
  limits.heartbeat_ns = 20'000'000;
  limits.lost_after_ns = limits.start_ns = limits.call_ns = 60'000'000'000;
  std::vector<std::thread> processes;
  for (uint32_t i = 0; i < size; ++i) {
    processes.emplace_back([&, i] {
      const world::Introduction me{"mlpstorage 1", std::string(1, static_cast<char>('a' + i)), 100 + i};
      const auto open = [&net, i] { return Result<std::unique_ptr<world::Wire>>(net.wire(i)); };
      const auto transport = world::start_courier(open, me, limits);
      ASSERT_EQ(transport->size(), size);
      work(*transport);
      (void)transport->close(limits.call_ns);  // a failure raised last has to reach the others
    });
  }
  for (auto& process : processes) process.join();
}

}  // namespace mlps::testing
