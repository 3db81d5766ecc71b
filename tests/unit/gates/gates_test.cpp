#include "gates/gates.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/units.hpp"
#include "fake_store.hpp"
#include "gates/access.hpp"
#include "temporary_folder.hpp"

namespace mlps::gates {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

// On one host.
Report run_gates(const Request& request) {
  world::LocalTransport transport;
  return gates::run_gates(request, transport).value();
}

TEST(StorageGate, AWorkingStorePassesSilently) {
  FakeStore store = bucket();
  const Report report = run_gates(request_for(store));
  EXPECT_THAT(texts(report), IsEmpty());
  EXPECT_THAT(report.warnings, IsEmpty());
  EXPECT_FALSE(report.separation);
  EXPECT_GT(report.available_memory_bytes, 0U);
  EXPECT_THAT(store.behaviour.calls, ElementsAre("open", "list ", "put", "head", "get", "remove"));
  EXPECT_THAT(store.behaviour.objects, IsEmpty());
  EXPECT_THAT(*store.behaviour.probe_names.begin(), StartsWith(".mlpstorage-probe-"));
}

TEST(StorageGate, EveryProbeHasItsOwnName) {
  FakeStore store = bucket();
  run_gates(request_for(store));
  run_gates(request_for(store));
  EXPECT_THAT(store.behaviour.probe_names, SizeIs(2));
}

TEST(StorageGate, AFailureCarriesTheStoresOwnWords) {
  FakeStore store = bucket();
  store.behaviour.put_error = kRefused;
  const Report report = run_gates(request_for(store));
  ASSERT_THAT(report.failures, SizeIs(1));
  EXPECT_EQ(report.failures[0].code, ErrorCode::kStorageDenied);
  EXPECT_THAT(report.failures[0].message, HasSubstr("PUT: 403 AccessDenied"));
  EXPECT_THAT(report.failures[0].message, HasSubstr("s3://bucket/prefix/.mlpstorage-probe-"));
  EXPECT_EQ(report.failures[0].details, "request 17");
  EXPECT_EQ(report.failures[0].suggestion, "check the policy");
  EXPECT_THAT(store.behaviour.objects, IsEmpty()) << "what a failed put left must go too";
}

TEST(StorageGate, ReadDeleteAndOpenErrors) {
  FakeStore unreadable = bucket();
  unreadable.behaviour.get_error = kRefused;
  EXPECT_THAT(texts(run_gates(request_for(unreadable))), ElementsAre(HasSubstr("read the probe object")));
  EXPECT_THAT(unreadable.behaviour.objects, IsEmpty());
  FakeStore undeletable = bucket();
  undeletable.behaviour.remove_error = kRefused;
  EXPECT_THAT(texts(run_gates(request_for(undeletable))), ElementsAre(HasSubstr("delete the probe object")));
  FakeStore closed = bucket();
  closed.behaviour.open_error = Error{ErrorCode::kStorageUnreachable, "connect 127.0.0.1:1: Connection refused"};
  EXPECT_THAT(texts(run_gates(request_for(closed))), ElementsAre(HasSubstr("[E601] connect 127.0.0.1:1")));
}

// O33: before anything is written, which would make the bucket on some servers.
TEST(StorageGate, TheBucketIsAskedForFirst) {
  FakeStore store = bucket();
  store.behaviour.reach_error = Error{ErrorCode::kStorageNotFound, "HeadBucket s3://bucket: 404"};
  EXPECT_THAT(texts(run_gates(request_for(store))), ElementsAre(HasSubstr("[E603] HeadBucket")));
  EXPECT_THAT(store.behaviour.calls, ElementsAre("open"));
}

// An answer to HEAD has no body, so the list is asked for the server's words.
TEST(StorageGate, ARefusalIsInTheServersWords) {
  FakeStore store = bucket();
  store.behaviour.reach_error = Error{ErrorCode::kStorageDenied, "HeadBucket s3://bucket: 403"};
  store.behaviour.list_error = kRefused;
  EXPECT_THAT(texts(run_gates(request_for(store))), ElementsAre(HasSubstr("403 AccessDenied")));
  EXPECT_THAT(store.behaviour.calls, ElementsAre("open", "list "));
  store.behaviour.list_error.reset();
  EXPECT_THAT(texts(run_gates(request_for(store))), IsEmpty());
}

// O6: every kind of request that the run will send.
TEST(StorageGate, EveryKindOfRequestIsTried) {
  FakeStore store = bucket();
  Request request = request_for(store);
  request.largest_object_bytes = 100 * kMiB;
  request.wanted_part_bytes = 5 * kMiB;
  EXPECT_THAT(texts(run_gates(request)), IsEmpty());
  EXPECT_THAT(store.behaviour.calls, ElementsAre("open", "list ", "put", "head", "get", "upload 5242880", "remove"));
  store.behaviour.list_error = kRefused;
  store.behaviour.head_error = kRefused;
  store.behaviour.upload_error = kRefused;
  EXPECT_THAT(texts(run_gates(request)), ElementsAre(HasSubstr("403 AccessDenied"), HasSubstr("look at the probe"),
                                                     HasSubstr("upload a part of the probe")));
  EXPECT_THAT(store.behaviour.objects, IsEmpty());
}

TEST(StorageGate, AnUnreachableStoreIsAskedOnce) {
  FakeStore store = bucket();
  store.behaviour.put_error = Error{ErrorCode::kStorageUnreachable, "connect: refused"};
  EXPECT_THAT(texts(run_gates(request_for(store))), ElementsAre(HasSubstr("connect: refused")));
  EXPECT_THAT(store.behaviour.calls, ElementsAre("open", "list ", "put"));
}

// O15
TEST(StorageGate, WhatIsLeftIsTold) {
  FakeStore store = bucket();
  store.behaviour.remove_error = kRefused;
  EXPECT_THAT(texts(run_gates(request_for(store))), ElementsAre(HasSubstr("may be left")));
}

TEST(StorageGate, OtherBytesAreADataMismatch) {
  FakeStore flipping = bucket();
  flipping.behaviour.flips_a_bit = true;
  EXPECT_THAT(texts(run_gates(request_for(flipping))), ElementsAre(StartsWith("[E606]")));
  FakeStore short_store = bucket();
  short_store.behaviour.keeps_half = true;
  EXPECT_THAT(texts(run_gates(request_for(short_store))), ElementsAre(HasSubstr("2049 of 4099 bytes")));
  EXPECT_THAT(short_store.behaviour.objects, IsEmpty());
}

TEST(StorageGate, ARunThatOnlyReadsIsNotAskedToWrite) {
  FakeStore store = bucket();
  store.behaviour.put_error = kRefused;
  Request request = request_for(store);
  request.bytes_to_write = 0;
  EXPECT_THAT(texts(run_gates(request)), IsEmpty());
  EXPECT_THAT(store.behaviour.calls, ElementsAre("open", "list "));
  store.behaviour.list_error = kRefused;
  EXPECT_THAT(texts(run_gates(request)), ElementsAre(HasSubstr("403 AccessDenied")));
}

TEST(StorageGate, NullHasNothingToProbe) {
  FakeStore store(Location(Scheme::kNull, "", ""), storage::StoreTraits{"null", true, false, false, 1});
  Request request = request_for(store);
  request.results_dir = "/nowhere";
  EXPECT_THAT(texts(run_gates(request)), IsEmpty());
  EXPECT_THAT(store.behaviour.calls, IsEmpty());
}

TEST(CapacityGate, TheFixedFourLines) {
  const TemporaryFolder place;
  FakeStore store = folder(place.path());
  store.behaviour.capacity = storage::Capacity{1000, "/mnt"};
  Request request = request_for(store);
  request.bytes_to_write = 1234;
  const Report report = run_gates(request);
  ASSERT_THAT(report.failures, SizeIs(1));
  EXPECT_EQ(report.failures[0].code, ErrorCode::kDiskFull);
  EXPECT_EQ(report.failures[0].message,
            "CAP-01: insufficient disk space at /mnt\n"
            "  available_bytes: 1000\n"
            "  required_bytes:  1234\n"
            "  deficit:         234");
  request.bytes_to_write = 1000;
  EXPECT_THAT(texts(run_gates(request)), IsEmpty());
}

TEST(CapacityGate, BytesThatAreOverwrittenNeedNoRoom) {
  const TemporaryFolder place;
  FakeStore store = folder(place.path());
  store.behaviour.capacity = storage::Capacity{1000, "/mnt"};
  Request request = request_for(store);
  request.bytes_to_write = 5000;
  request.bytes_in_place = [] { return Result<uint64_t>(4000); };
  EXPECT_THAT(texts(run_gates(request)), IsEmpty());
  request.bytes_in_place = [] { return Result<uint64_t>(3999); };
  const Report report = run_gates(request);
  ASSERT_THAT(report.failures, SizeIs(1));
  EXPECT_THAT(report.failures[0].message, HasSubstr("required_bytes:  1001\n"));
  EXPECT_THAT(report.failures[0].details, HasSubstr("5000 bytes are to be written, 3999 of them over what is there"));
  request.bytes_to_write = 1000;
  request.bytes_in_place = [] { return fail(errno_error(EIO, "list")); };
  EXPECT_THAT(texts(run_gates(request)), IsEmpty()) << "asked only if there is no room for all";
}

TEST(CapacityGate, AFileSystemThatDoesNotTellIsAWarning) {
  const TemporaryFolder place;
  FakeStore store = folder(place.path());
  store.behaviour.capacity.reset();
  const Report report = run_gates(request_for(store));
  EXPECT_THAT(texts(report), IsEmpty());
  EXPECT_THAT(report.warnings, ElementsAre(HasSubstr("doesn't tell its free space")));
}

TEST(ResultsGate, RoomIsAskedForBeforeTheRun) {
  const TemporaryFolder results;
  FakeStore store = bucket();
  Request request = request_for(store);
  request.results_dir = results.path();
  request.results_bytes = uint64_t{1} << 62;
  EXPECT_THAT(texts(run_gates(request)), ElementsAre(AllOf(StartsWith("[E403] the results folder " + results.path()),
                                                           HasSubstr("less than the 4 EiB"))));
}

TEST(PatternGate, DoesWhatRunsDoAndLeavesNothing) {
  const TemporaryFolder place;
  std::vector<std::string> warnings;
  EXPECT_FALSE(check_write_pattern(place.path(), warnings));
  EXPECT_THAT(warnings, IsEmpty());
  EXPECT_EQ(place.entries(), 0U);
  const auto refused = check_write_pattern(place.path() + "/absent", warnings);
  ASSERT_TRUE(refused);
  EXPECT_THAT(refused->message, StartsWith("create " + place.path() + "/absent/.mlpstorage-probe-"));
}

TEST(CapacityGate, AnUnknownCapacityIsTheStoresError) {
  FakeStore store = bucket();
  store.behaviour.capacity_error = errno_error(EIO, "statvfs /mnt");
  EXPECT_THAT(texts(run_gates(request_for(store))), ElementsAre(HasSubstr("statvfs /mnt")));
}

TEST(FolderGate, IsMadeIfItsParentIsThere) {
  const TemporaryFolder place;
  FakeStore store = folder(place.path() + "/new");
  EXPECT_THAT(texts(run_gates(request_for(store))), IsEmpty());
  EXPECT_TRUE(std::filesystem::is_directory(place.path() + "/new"));
}

TEST(FolderGate, AMissingParentIsE401AndNothingIsMade) {
  const TemporaryFolder place;
  FakeStore store = folder(place.path() + "/no/such");
  Request request = request_for(store);
  request.results_dir = place.path();
  const Report report = run_gates(request);
  ASSERT_THAT(report.failures, SizeIs(1));
  EXPECT_EQ(report.failures[0].code, ErrorCode::kPathNotFound);
  EXPECT_EQ(report.failures[0].suggestion, "mkdir -p " + place.path() + "/no");
  EXPECT_EQ(place.entries(), 0U);
  EXPECT_THAT(store.behaviour.calls, IsEmpty()) << "a put would make the folder that was a slip";
}

TEST(FolderGate, AFileInItsPlace) {
  const TemporaryFolder place;
  std::filesystem::create_symlink("/proc/self/status", place.path() + "/file");
  FakeStore store = folder(place.path() + "/file");
  EXPECT_THAT(texts(run_gates(request_for(store))), ElementsAre(HasSubstr("file is a file, not a folder")));
  FakeStore below = folder(place.path() + "/file/x");
  EXPECT_THAT(texts(run_gates(request_for(below))), ElementsAre(HasSubstr("file is a file, not a folder")));
}

TEST(FolderGate, ARunThatOnlyReadsMakesNoFolder) {
  const TemporaryFolder place;
  FakeStore store = folder(place.path() + "/new");
  Request request = request_for(store);
  request.bytes_to_write = 0;
  run_gates(request);
  EXPECT_EQ(place.entries(), 0U);
}

TEST(SeparationGate, OneFileSystemIsAFailureOrAWarning) {
  const TemporaryFolder checkpoints, results;
  FakeStore store = folder(checkpoints.path());
  Request request = request_for(store);
  request.results_dir = results.path();
  const Report strict = run_gates(request);
  EXPECT_THAT(texts(strict), ElementsAre(StartsWith("[E404] CAP-03")));
  ASSERT_TRUE(strict.separation);
  EXPECT_TRUE(strict.separation->same_filesystem);
  request.separation_waived_by = "--skip-fs-separation-gate";
  const Report skipped = run_gates(request);
  EXPECT_THAT(texts(skipped), IsEmpty());
  EXPECT_THAT(skipped.warnings,
              ElementsAre("data and results share a file system; allowed by --skip-fs-separation-gate"));
  EXPECT_TRUE(skipped.separation);
  EXPECT_EQ(checkpoints.entries(), 0U);
  EXPECT_EQ(results.entries(), 0U);
}

TEST(SeparationGate, AResultsFolderThatIsntThere) {
  const TemporaryFolder checkpoints;
  FakeStore store = folder(checkpoints.path());
  Request request = request_for(store);
  request.results_dir = checkpoints.path() + "/absent";
  const Report report = run_gates(request);
  EXPECT_THAT(texts(report), ElementsAre(StartsWith("[E402] CAP-03")));
  EXPECT_FALSE(report.separation);
  request.separation_waived_by = "whatif";
  EXPECT_THAT(run_gates(request).warnings, ElementsAre(AllOf(StartsWith("CAP-03"), EndsWith("; allowed by whatif"))));
}

TEST(SeparationGate, ObjectStoresAreSeparateAnyway) {
  FakeStore store = bucket();
  Request request = request_for(store);
  request.results_dir = "/nowhere";
  const Report report = run_gates(request);
  EXPECT_THAT(texts(report), IsEmpty());
  EXPECT_FALSE(report.separation);
}

TEST(Gates, AllFailuresAtOnce) {
  const TemporaryFolder checkpoints, results;
  FakeStore store = folder(checkpoints.path());
  store.behaviour.put_error = kRefused;
  store.behaviour.capacity = storage::Capacity{0, checkpoints.path()};
  Request request = request_for(store);
  request.results_dir = results.path();
  request.buffer_bytes = 1024 * 1024 * kGiB;
  const std::vector<std::string> failures = texts(run_gates(request));
  EXPECT_THAT(failures, Contains(HasSubstr("403 AccessDenied")));
  EXPECT_THAT(failures, Contains(StartsWith("[E403] CAP-01")));
  EXPECT_THAT(failures, Contains(StartsWith("[E404] CAP-03")));
  EXPECT_THAT(failures, Contains(HasSubstr("exceed the memory that is available")));
}

}  // namespace
}  // namespace mlps::gates
