#pragma once

#include <gtest/gtest.h>

#include <barrier>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "../support/fake_net.hpp"
#include "world/mpi_thread.hpp"

namespace mlps::test {

/// Runs `work` as every process of a job of `size` hosts, named a, b, c ... or as `hosts` says: a thread each, with a
/// MPI thread of its own over a net in memory. Limits are wide, for machines that are busy.
inline void run_job(uint32_t size, const std::function<void(world::Transport&)>& work,
                    const std::vector<std::string>& hosts = {}) {
  world::FakeNet net(size);
  world::LinkLimits limits;
  limits.heartbeat_ns = 20'000'000;
  limits.lost_after_ns = limits.start_ns = limits.call_ns = 60'000'000'000;
  std::barrier started(size), ended(size);
  std::vector<std::thread> processes;
  for (uint32_t i = 0; i < size; ++i) {
    processes.emplace_back([&, i] {
      const std::string host = hosts.empty() ? std::string(1, static_cast<char>('a' + i)) : hosts[i];
      const world::Introduction me{"mlpstorage 1", host, 100 + i};
      const auto open = [&net, i] { return Result<std::unique_ptr<world::Wire>>(net.wire(i)); };
      const auto transport = world::start_mpi_thread(open, me, limits);
      started.arrive_and_wait();  // a failure of one's work must not find others who are still starting
      ASSERT_EQ(transport->size(), size);
      work(*transport);
      ended.arrive_and_wait();  // a failure raised last has to reach the others
    });
  }
  for (auto& process : processes) process.join();
}

}  // namespace mlps::test
