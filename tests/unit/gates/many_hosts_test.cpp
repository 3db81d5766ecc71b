#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "../support/job.hpp"
#include "base/units.hpp"
#include "fake_store.hpp"
#include "temporary_folder.hpp"

namespace mlps::gates {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

constexpr Nanos kShortPatience = 1'000'000;

// The hosts a, b and c with a store each.
struct Hosts {
  explicit Hosts(const std::string& path) : Hosts(path, path, path) {}
  Hosts(const std::string& a, const std::string& b, const std::string& c)
      : stores{folder(a), folder(b), folder(c)}, requests{request(0), request(1), request(2)} {}

  void run() {
    test::run_job(3, [this](world::Transport& transport) {
      const uint32_t index = transport.index();
      reports[index] = run_gates(requests[index], transport);
      transport.close(60'000'000'000);
    });
  }

  // Process 0's.
  std::vector<std::string> failures() { return texts(reports[0].value()); }

  std::array<FakeStore, 3> stores;
  std::array<Request, 3> requests;
  std::array<Result<Report>, 3> reports;

 private:
  Request request(size_t index) {
    Request request = request_for(stores[index]);
    request.visible_within_ns = kShortPatience;
    return request;
  }
};

void expect_no_probes(const std::string& folder) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    EXPECT_THAT(entry.path().filename().string(), Not(StartsWith(".mlpstorage")));
  }
}

TEST(ManyHosts, OneSharedFolderPassesSilently) {
  const TemporaryFolder place;
  Hosts hosts(place.path() + "/new");
  for (Request& request : hosts.requests) request.visible_within_ns = 60'000'000'000;
  hosts.run();
  for (const auto& report : hosts.reports) {
    ASSERT_TRUE(report);
    EXPECT_THAT(texts(*report), IsEmpty());
    EXPECT_THAT(report->warnings, IsEmpty());
    EXPECT_FALSE(report->first_failure);
    EXPECT_GT(report->available_memory_bytes, 0U);
  }
  for (const FakeStore& store : hosts.stores) {
    EXPECT_THAT(store.behaviour.calls, ElementsAre("open", "put", "head", "get", "remove"));
  }
  EXPECT_NE(hosts.stores[0].behaviour.probe_names, hosts.stores[1].behaviour.probe_names);
  EXPECT_EQ(place.entries(), 1U) << "process 0 made the folder";
  expect_no_probes(place.path());
}

TEST(ManyHosts, AnotherFolderOfOneHostIsE404AndNotWrittenTo) {
  const TemporaryFolder shared, own;
  Hosts hosts(shared.path(), own.path(), shared.path());
  hosts.run();
  EXPECT_THAT(hosts.failures(), ElementsAre(StartsWith("[E404] host b: CAP-02: no such file: " + own.path() +
                                                       " is not the folder that host a sees")));
  EXPECT_THAT(hosts.stores[1].behaviour.calls, IsEmpty());
  for (const auto& report : hosts.reports) {
    ASSERT_TRUE(report);
    ASSERT_TRUE(report->first_failure);
    EXPECT_EQ(report->first_failure->code, ErrorCode::kInvalidStructure);
    EXPECT_THAT(report->first_failure->message, StartsWith("host b: CAP-02"));
  }
  EXPECT_THAT(hosts.reports[1]->failures, IsEmpty()) << "process 0 says it for all";
  expect_no_probes(shared.path());
  EXPECT_EQ(own.entries(), 0U);
}

TEST(ManyHosts, AHostThatCantWriteIsNamed) {
  const TemporaryFolder place;
  Hosts hosts(place.path());
  hosts.stores[1].behaviour.put_error = errno_error(EROFS, "create the file");
  hosts.run();
  EXPECT_THAT(hosts.failures(),
              ElementsAre(AllOf(StartsWith("[E402] host b: write the probe object"), HasSubstr("Read-only"))));
}

TEST(ManyHosts, WhatAllFindIsSaidOnce) {
  const TemporaryFolder place;
  Hosts hosts(place.path());
  for (FakeStore& store : hosts.stores) store.behaviour.put_error = kRefused;
  hosts.stores[2].behaviour.put_error->details = "request 18";
  hosts.run();
  EXPECT_THAT(hosts.failures(), ElementsAre(AllOf(StartsWith("[E602] hosts a, b, c: write the probe object"),
                                                  HasSubstr("host a: request 17"))));
}

TEST(ManyHosts, OneHostShortOfMemory) {
  const TemporaryFolder place;
  Hosts hosts(place.path());
  hosts.requests[1].buffer_bytes = 1024 * 1024 * kGiB;
  hosts.run();
  EXPECT_THAT(hosts.failures(), ElementsAre(StartsWith("[E102] host b: I/O buffers of ")));
}

TEST(ManyHosts, CapacityIsJudgedOnceButAskedEverywhere) {
  const TemporaryFolder place;
  Hosts hosts(place.path());
  for (FakeStore& store : hosts.stores) store.behaviour.capacity = storage::Capacity{0, "/mnt"};
  hosts.stores[2].behaviour.capacity_error = errno_error(EIO, "statvfs /mnt");
  hosts.run();
  EXPECT_THAT(hosts.failures(), ElementsAre(StartsWith("[E403] host a: CAP-01: insufficient disk space at /mnt\n"),
                                            StartsWith("[E608] host c: statvfs /mnt")));
}

TEST(ManyHosts, SeparationIsProcess0s) {
  const TemporaryFolder place, results;
  Hosts hosts(place.path());
  hosts.requests[0].results_dir = results.path();
  hosts.requests[1].results_dir = hosts.requests[2].results_dir = "/nowhere";
  hosts.run();
  EXPECT_THAT(hosts.failures(), ElementsAre(StartsWith("[E404] host a: CAP-03")));
  EXPECT_TRUE(hosts.reports[0]->separation);
  EXPECT_FALSE(hosts.reports[1]->separation);
}

TEST(ManyHosts, AllFailuresOfAllHostsAtOnce) {
  const TemporaryFolder shared, own;
  Hosts hosts(shared.path(), own.path(), shared.path());
  hosts.stores[2].behaviour.get_error = kRefused;
  hosts.requests[0].buffer_bytes = 1024 * 1024 * kGiB;
  hosts.run();
  EXPECT_THAT(hosts.failures(), Contains(HasSubstr("host a: I/O buffers")));
  EXPECT_THAT(hosts.failures(), Contains(HasSubstr("host b: CAP-02")));
  EXPECT_THAT(hosts.failures(), Contains(HasSubstr("host c: read the probe object")));
}

TEST(ManyHosts, AFolderThatNobodyCanMakeIsSaidOnce) {
  const TemporaryFolder place;
  Hosts hosts(place.path() + "/no/such");
  hosts.run();
  EXPECT_THAT(hosts.failures(), ElementsAre(StartsWith("[E401] host a: make checkpoint folder")));
  EXPECT_EQ(place.entries(), 0U);
  for (const FakeStore& store : hosts.stores) EXPECT_THAT(store.behaviour.calls, IsEmpty());
}

// A run that only reads, of a folder with a file.
struct ReadingHosts : Hosts {
  ReadingHosts(const std::string& a, const std::string& b) : Hosts(a, b, a) {
    for (size_t i = 0; i < 3; ++i) {
      requests[i].bytes_to_write = 0;
      requests[i].folder_word = "data folder";
      stores[i].behaviour.listed = {{".hidden", 4}, {"file", 4}};
    }
  }
  static void write_file(const std::string& folder, const std::string& content) {
    std::ofstream(folder + "/file") << content;
  }
};

TEST(ManyHostsReading, TheSameDataWithoutWritingAnything) {
  const TemporaryFolder place;
  ReadingHosts hosts(place.path(), place.path());
  hosts.write_file(place.path(), "data");
  hosts.run();
  EXPECT_THAT(hosts.failures(), IsEmpty());
  for (const FakeStore& store : hosts.stores) {
    EXPECT_THAT(store.behaviour.calls, ElementsAre("open", "list "));
  }
  expect_no_probes(place.path());
}

TEST(ManyHostsReading, ACopyOnOneHost) {
  const TemporaryFolder place, copy;
  ReadingHosts hosts(place.path(), copy.path());
  hosts.write_file(place.path(), "data");
  hosts.write_file(copy.path(), "data");
  hosts.run();
  EXPECT_THAT(hosts.failures(), ElementsAre(StartsWith("[E404] host b: CAP-02: another file: ")));
}

TEST(ManyHostsReading, NoDataOnOneHost) {
  const TemporaryFolder place, other;
  ReadingHosts hosts(place.path(), other.path() + "/unmounted");
  hosts.write_file(place.path(), "data");
  hosts.run();
  EXPECT_THAT(hosts.failures(), ElementsAre(StartsWith("[E404] host b: CAP-02: no such file: ")));
}

TEST(ManyHostsReading, AnEmptyFolderHasNothingToCompare) {
  const TemporaryFolder place;
  ReadingHosts hosts(place.path(), place.path());
  for (FakeStore& store : hosts.stores) store.behaviour.listed.clear();
  hosts.run();
  EXPECT_THAT(hosts.failures(), IsEmpty());
}

TEST(ManyHostsReading, AFolderThatIsNowhereIsSaidOnce) {
  ReadingHosts hosts("/nowhere", "/nowhere");
  hosts.run();
  EXPECT_THAT(hosts.failures(), ElementsAre(StartsWith("[E401] hosts a, b, c: use data folder /nowhere")));
}

TEST(ManyHosts, ABucketHasNoFolderToCompare) {
  test::run_job(3, [](world::Transport& transport) {
    FakeStore store = bucket();
    if (transport.index() == 2) store.behaviour.put_error = kRefused;
    const auto report = run_gates(request_for(store), transport);
    ASSERT_TRUE(report);
    EXPECT_THAT(store.behaviour.calls, Contains("put"));
    EXPECT_THAT(report->first_failure.value().message, StartsWith("host c: write the probe object"));
    transport.close(60'000'000'000);
  });
}

TEST(ManyHosts, AProcessThatFailsInTheMiddleLeavesNoProbe) {
  const TemporaryFolder place;
  test::run_job(3, [&](world::Transport& transport) {
    FakeStore store = folder(place.path());
    if (transport.index() == 1) {
      store.behaviour.on_put = [&transport] {
        transport.failure().raise({ErrorCode::kHostUnreachable, "somebody pulled the plug"});
      };
    }
    const auto report = run_gates(request_for(store), transport);
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code, ErrorCode::kHostUnreachable);
    EXPECT_THAT(report.error().message, HasSubstr("somebody pulled the plug"));
    transport.close(60'000'000'000);
  });
  expect_no_probes(place.path());
}

}  // namespace
}  // namespace mlps::gates
