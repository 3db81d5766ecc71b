// The contract of store.hpp on local files: buffered, direct through io_uring, and direct without it; each on the file
// system of the build folder and on /dev/shm.
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "base/units.hpp"
#include "storage/posix/file_store.hpp"
#include "support.hpp"

namespace mlps::storage {
namespace {

using namespace test;

enum class Backend { kFile, kFileSequential, kRing, kBlockingDirect };

struct Case {
  Backend backend;
  std::string base;
};

std::string name_of(const ::testing::TestParamInfo<Case>& info) {
  static const std::vector<std::string> names = {"File", "FileSequential", "Ring", "BlockingDirect"};
  return names[static_cast<size_t>(info.param.backend)] + (info.param.base == "/dev/shm" ? "OnShm" : "OnBuildFolder");
}

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (const std::string base : {MLPS_TEST_SCRATCH, "/dev/shm"}) {
    if (::access(base.c_str(), W_OK) != 0) continue;
    for (const Backend backend : {Backend::kFile, Backend::kFileSequential, Backend::kRing, Backend::kBlockingDirect}) {
      cases.push_back({backend, base});
    }
  }
  return cases;
}

class LocalStoreTest : public ::testing::TestWithParam<Case> {
 protected:
  LocalStoreTest() : folder_(GetParam().base), root_(folder_.path() + "/run/checkpoints") {}

  void SetUp() override {
    Result<std::unique_ptr<Store>> store = open();
    ASSERT_TRUE(store) << render(store.error());
    store_ = std::move(*store);
  }

  Result<std::unique_ptr<Store>> open() const {
    const Location direct(Scheme::kDirect, "", root_);
    const Location file(Scheme::kFile, "", root_);
    switch (GetParam().backend) {
      case Backend::kFile:
        return open_file_store(file, FadviseMode::kDontNeed);
      case Backend::kFileSequential:
        return open_file_store(file, FadviseMode::kSequential);
      case Backend::kRing:
        return open_direct_store(direct);
      case Backend::kBlockingDirect:
        return open_direct_store(direct, Durability::kEachObject, ENOSYS);
    }
    return fail(ErrorCode::kInternal, "no such backend");
  }

  unsigned depth() const { return store_->traits().blocking ? 1 : 4; }
  std::unique_ptr<Session> session(unsigned depth = 1) const { return std::move(store_->open_session(depth).value()); }
  std::string path_of(const std::string& name) const { return root_ + "/" + name; }

  TempFolder folder_;
  std::string root_;
  std::unique_ptr<Store> store_;
};

INSTANTIATE_TEST_SUITE_P(All, LocalStoreTest, ::testing::ValuesIn(all_cases()), name_of);

TEST_P(LocalStoreTest, ReadsBackWhatItWroteAtEverySize) {
  for (const uint64_t size : {0UL, 1UL, 511UL, 512UL, 4095UL, 4096UL, 4097UL, 65536UL, kMiB + 13}) {
    for (const uint64_t part : {uint64_t{4096}, uint64_t{5000}, uint64_t{64 * kKiB}, kMiB, 4 * kMiB}) {
      if (size / part > 64) continue;
      const ObjectSpec spec{fmt::format("global_epoch1_step1/{}-{}.pt", size, part), size, part, {}};
      const Status written = write_object(*store_, spec, depth());
      ASSERT_TRUE(written) << text_of(written);
      EXPECT_EQ(size_of(path_of(spec.name)), size);
      const Status read = read_object(*store_, spec, depth());
      ASSERT_TRUE(read) << text_of(read);
      EXPECT_EQ(store_->open_session(1).value()->head(spec.name)->size_bytes, size);
    }
  }
}

TEST_P(LocalStoreTest, TheBytesOnTheFileSystemAreExactlyTheObject) {
  const uint64_t size = 3 * 64 * kKiB + 777;
  ASSERT_TRUE(write_object(*store_, {"x.pt", size, 64 * kKiB, {}}, depth(), 7));
  std::ifstream file(path_of("x.pt"), std::ios::binary);
  std::vector<char> found((std::istreambuf_iterator<char>(file)), {});
  ASSERT_EQ(found.size(), size);
  for (size_t i = 0; i < size; ++i) ASSERT_EQ(static_cast<std::byte>(found[i]), pattern_at(i, 7)) << "at " << i;
}

TEST_P(LocalStoreTest, AnOverwrittenLongerFileLeavesNothingBehind) {
  ASSERT_TRUE(write_object(*store_, {"x.pt", 300'000, 64 * kKiB, {}}, depth(), 1));
  ASSERT_TRUE(write_object(*store_, {"x.pt", 1000, 64 * kKiB, {}}, depth(), 2));
  EXPECT_EQ(size_of(path_of("x.pt")), 1000);
  EXPECT_TRUE(read_object(*store_, {"x.pt", 1000, 64 * kKiB, {}}, depth(), 2));
}

TEST_P(LocalStoreTest, PartsMayComeInAnyOrderFromSeveralThreads) {
  const ObjectSpec spec{"step/shared.pt", 40 * 64 * kKiB + 99, 64 * kKiB, {}};
  const auto object = store_->object(spec);
  const auto first = session();
  ASSERT_TRUE(run(*first, OpKind::kBeginWrite, *object));
  const auto each = [&](auto move) {
    std::vector<std::thread> threads;
    for (uint32_t thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&, thread] {
        const auto own = session();
        for (uint32_t part = object->part_count(); part-- > 0;) {
          if (part % 4 != thread) continue;
          const Status status = move(*own, *object, part, uint64_t{1});
          EXPECT_TRUE(status) << text_of(status);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  };
  each(write_part);
  ASSERT_TRUE(run(*first, OpKind::kCommitWrite, *object));
  EXPECT_TRUE(read_object(*store_, spec, depth()));
  const auto again = store_->object(spec);
  ASSERT_TRUE(run(*first, OpKind::kBeginRead, *again));
  each([&](Session& own, Object&, uint32_t part, uint64_t seed) { return read_part(own, *again, part, seed); });
  EXPECT_TRUE(run(*first, OpKind::kEndRead, *again));
}

TEST_P(LocalStoreTest, ACommitWithoutAllPartsIsRefusedAndAbortRemovesTheFile) {
  for (const uint32_t missing : {0U, 1U, 2U}) {
    const auto object = store_->object({"x.pt", 2 * 64 * kKiB + 5, 64 * kKiB, {}});
    const auto own = session();
    ASSERT_TRUE(run(*own, OpKind::kBeginWrite, *object));
    for (uint32_t part = 0; part < 3; ++part) {
      if (part == missing) continue;
      ASSERT_TRUE(write_part(*own, *object, part));
    }
    const Status committed = run(*own, OpKind::kCommitWrite, *object);
    EXPECT_TRUE(has_code(committed, ErrorCode::kDataMismatch)) << text_of(committed);
    EXPECT_THAT(text_of(committed), ::testing::HasSubstr("131077 were planned"));
    EXPECT_TRUE(run(*own, OpKind::kAbortWrite, *object));
    EXPECT_FALSE(std::filesystem::exists(path_of("x.pt")));
  }
}

TEST_P(LocalStoreTest, ACommitSeesThatTheFileWasChangedByOthers) {
  for (const bool removed : {false, true}) {
    const auto object = store_->object({"x.pt", 64 * kKiB, 64 * kKiB, {}});
    const auto own = session();
    ASSERT_TRUE(run(*own, OpKind::kBeginWrite, *object));
    ASSERT_TRUE(write_part(*own, *object, 0));
    if (removed) {
      std::filesystem::remove(path_of("x.pt"));
    } else {
      std::filesystem::resize_file(path_of("x.pt"), 100);
    }
    const Status committed = run(*own, OpKind::kCommitWrite, *object);
    EXPECT_TRUE(has_code(committed, ErrorCode::kDataMismatch)) << text_of(committed);
    EXPECT_THAT(text_of(committed), ::testing::HasSubstr(removed ? "was removed" : "has 100 bytes"));
    EXPECT_TRUE(run(*own, OpKind::kAbortWrite, *object));
  }
}

TEST_P(LocalStoreTest, AnAbortLeavesTheFileThatAnotherHasPutInThisOnesPlace) {
  const auto object = store_->object({"x.pt", 64 * kKiB, 64 * kKiB, {}});
  const auto own = session();
  ASSERT_TRUE(run(*own, OpKind::kBeginWrite, *object));
  const std::string content = "whole";
  ASSERT_TRUE(session()->put("x.pt", std::as_bytes(std::span(content))));
  EXPECT_TRUE(run(*own, OpKind::kAbortWrite, *object));
  EXPECT_EQ(std::filesystem::file_size(path_of("x.pt")), content.size());
}

TEST_P(LocalStoreTest, AbortAfterAFailedBeginLeavesOthersFilesAlone) {
  std::filesystem::create_directories(path_of("folder.pt"));
  const auto object = store_->object({"folder.pt", 10, 4096, {}});
  const auto own = session();
  EXPECT_FALSE(run(*own, OpKind::kBeginWrite, *object));
  EXPECT_TRUE(run(*own, OpKind::kAbortWrite, *object));
  EXPECT_TRUE(std::filesystem::is_directory(path_of("folder.pt")));
}

TEST_P(LocalStoreTest, AnUnfinishedFileNeverHasTheSizeOfAWholeOne) {
  const auto own = session();
  for (const uint64_t size : {0UL, 1UL, 4096UL, 5000UL, 8192UL}) {
    const auto object = store_->object({"x", size, 4096, {}});
    ASSERT_TRUE(run(*own, OpKind::kBeginWrite, *object));
    EXPECT_NE(size_of(path_of("x")), size);
    for (uint32_t part = object->part_count(); part-- > 0;) {  // the last part first
      ASSERT_TRUE(write_part(*own, *object, part));
      EXPECT_NE(size_of(path_of("x")), size);
    }
    ASSERT_TRUE(run(*own, OpKind::kCommitWrite, *object));
    EXPECT_EQ(size_of(path_of("x")), size);
  }
}

TEST_P(LocalStoreTest, WhatIsNoFileIsRefusedWithoutWaiting) {
  std::filesystem::create_directories(path_of("folder"));
  ASSERT_EQ(::mkfifo(path_of("fifo").c_str(), 0600), 0);
  std::filesystem::create_symlink("/dev/null", path_of("device"));
  std::filesystem::create_symlink("fifo", path_of("link"));
  const auto own = session();
  for (const auto& [name, kind] : {std::pair{"folder", "a folder"}, std::pair{"fifo", "a FIFO"},
                                   std::pair{"device", "a device"}, std::pair{"link", "a FIFO"}}) {
    for (const OpKind begin : {OpKind::kBeginWrite, OpKind::kBeginRead}) {
      const auto object = store_->object({name, 0, 4096, {}});
      const Status begun = run(*own, begin, *object);
      EXPECT_TRUE(has_code(begun, ErrorCode::kInvalidStructure)) << text_of(begun);
      EXPECT_THAT(text_of(begun), ::testing::HasSubstr(std::string("is ") + kind + ", not a file"));
    }
    EXPECT_TRUE(has_code(store_->evict(name), ErrorCode::kInvalidStructure));
    EXPECT_FALSE(own->get(name, 0, 1));
    EXPECT_TRUE(std::filesystem::exists(path_of(name)));
  }
}

TEST_P(LocalStoreTest, AStaleHandleIsAskedForOnceMore) {
  ASSERT_TRUE(write_object(*store_, {"x", 10, 4096, {}}));
  in_a_thread([this] {
    const auto own = session();
    const auto object = store_->object({"x", 10, 4096, {}});
    if (!refuse_calls(__NR_openat, ESTALE)) GTEST_SKIP() << "no filters here";
    Operation begin{.kind = OpKind::kBeginRead, .object = object.get()};
    const Status begun = run(*own, begin);
    EXPECT_TRUE(has_code(begun, ErrorCode::kStorageIo)) << text_of(begun);
    EXPECT_THAT(begun.error().suggestion, ::testing::HasSubstr("failed over"));
    EXPECT_EQ(begin.attempts, 2);
  });
}

TEST_P(LocalStoreTest, AFileThatMayNotBeWrittenOverIsSaidToBeOne) {
  ASSERT_TRUE(write_object(*store_, {"x", 10, 4096, {}}));
  in_a_thread([this] {
    const auto own = session();
    const auto object = store_->object({"x", 10, 4096, {}});
    if (!refuse_calls(__NR_openat, EPERM)) GTEST_SKIP() << "no filters here";
    Operation begin{.kind = OpKind::kBeginWrite, .object = object.get()};
    const Status begun = run(*own, begin);
    EXPECT_TRUE(has_code(begun, ErrorCode::kPermissionDenied)) << text_of(begun);
    EXPECT_THAT(begun.error().details, ::testing::HasSubstr("written over"));
    EXPECT_THAT(begun.error().suggestion, ::testing::HasSubstr("fresh folder"));
  });
}

// A file system over an object store, for example, can't set lengths: what is interrupted there is short.
TEST_P(LocalStoreTest, ABufferedFileNeedsNoLengthInAdvance) {
  in_a_thread([this] {
    const auto own = session();
    const auto object = store_->object({"x", 10, 4096, {}});
    if (!refuse_calls(__NR_ftruncate, EPERM)) GTEST_SKIP() << "no filters here";
    const Status begun = run(*own, OpKind::kBeginWrite, *object);
    if (store_->traits().backend == "direct") {
      EXPECT_TRUE(has_code(begun, ErrorCode::kPermissionDenied)) << text_of(begun);
      return;
    }
    ASSERT_TRUE(begun) << text_of(begun);
    ASSERT_TRUE(write_part(*own, *object, 0));
    EXPECT_TRUE(run(*own, OpKind::kCommitWrite, *object));
  });
}

TEST_P(LocalStoreTest, ReadingNeedsTheFileWithItsExactSize) {
  const Status absent = read_object(*store_, {"none/x.pt", 10, 4096, {}});
  EXPECT_TRUE(has_code(absent, ErrorCode::kStorageNotFound)) << text_of(absent);
  ASSERT_TRUE(write_object(*store_, {"x.pt", 5000, 4096, {}}));
  for (const uint64_t expected : {4999UL, 5001UL, 0UL}) {
    const Status read = read_object(*store_, {"x.pt", expected, 4096, {}});
    EXPECT_TRUE(has_code(read, ErrorCode::kDataMismatch)) << text_of(read);
    EXPECT_THAT(text_of(read), ::testing::AllOf(::testing::HasSubstr("has 5000 bytes"),
                                                ::testing::HasSubstr(fmt::format("{} are expected", expected))));
  }
}

TEST_P(LocalStoreTest, AFileCutShortWhileBeingReadIsAMismatch) {
  const ObjectSpec spec{"x.pt", 3 * 64 * kKiB, 64 * kKiB, {}};
  ASSERT_TRUE(write_object(*store_, spec));
  const auto object = store_->object(spec);
  const auto own = session();
  ASSERT_TRUE(run(*own, OpKind::kBeginRead, *object));
  for (const uint64_t left : {2 * 64 * kKiB + 4096, 2 * 64 * kKiB + 100, 64 * kKiB}) {
    std::filesystem::resize_file(path_of("x.pt"), left);
    const Status read = read_part(*own, *object, 2);
    EXPECT_TRUE(has_code(read, ErrorCode::kDataMismatch)) << text_of(read);
    EXPECT_THAT(text_of(read), ::testing::HasSubstr("then the file ends"));
  }
  EXPECT_TRUE(read_part(*own, *object, 0));
  EXPECT_TRUE(run(*own, OpKind::kEndRead, *object));
}

TEST_P(LocalStoreTest, NamesThatLeaveTheRootAreRefused) {
  const std::vector<std::string> names = {"../x", "a/../../x", "/etc/passwd", "",   "a//b",
                                          "./a",  "a/.",       "a/",          "..", std::string("a\0b", 3)};
  for (const std::string& name : names) {
    const Status written = write_object(*store_, {name, 10, 4096, {}});
    EXPECT_TRUE(has_code(written, ErrorCode::kConfigInvalid)) << "\"" << name << "\": " << text_of(written);
  }
  EXPECT_FALSE(std::filesystem::exists(root_)) << "a refused name must not create folders";
}

TEST_P(LocalStoreTest, CancelEndsEverythingExceptCleanup) {
  const auto object = store_->object({"x.pt", 4 * 256 * kKiB, 256 * kKiB, {}});
  const auto own = session(depth());
  ASSERT_TRUE(run(*own, OpKind::kBeginWrite, *object));
  std::vector<PartBuffer> buffers;
  std::vector<Operation> operations;
  for (uint32_t part = 0; part < depth(); ++part) {
    buffers.emplace_back(object->part_length(part));
    operations.push_back(
        {.kind = OpKind::kWritePart, .object = object.get(), .part = part, .buffer = buffers.back().part()});
  }
  for (Operation& operation : operations) own->submit(operation);
  std::thread([&] { own->cancel(); }).join();
  std::vector<Operation*> done;
  while (done.size() < operations.size()) own->poll(std::chrono::milliseconds(50), done);
  for (const Operation& operation : operations) {
    // A blocking session had done its work before cancel() was called.
    if (!store_->traits().blocking) {
      ASSERT_TRUE(operation.error);
      EXPECT_EQ(operation.error->code, ErrorCode::kInterrupted);
    }
  }
  EXPECT_TRUE(has_code(write_part(*own, *object, 0), ErrorCode::kInterrupted));
  EXPECT_TRUE(has_code(run(*own, OpKind::kCommitWrite, *object), ErrorCode::kInterrupted));
  EXPECT_TRUE(run(*own, OpKind::kAbortWrite, *object));
  EXPECT_FALSE(std::filesystem::exists(path_of("x.pt")));
}

TEST_P(LocalStoreTest, ASessionMayBeDestroyedWithOperationsInFlight) {
  const auto object = store_->object({"x.pt", 4 * 256 * kKiB, 256 * kKiB, {}});
  const auto first = session();
  ASSERT_TRUE(run(*first, OpKind::kBeginWrite, *object));
  {
    std::vector<PartBuffer> buffers;
    std::vector<Operation> operations(depth());
    auto own = session(depth());
    for (uint32_t part = 0; part < depth(); ++part) {
      buffers.emplace_back(object->part_length(part));
      operations[part] = {
          .kind = OpKind::kWritePart, .object = object.get(), .part = part, .buffer = buffers[part].part()};
      own->submit(operations[part]);
    }
    own.reset();  // afterwards the buffers go, too
  }
  EXPECT_TRUE(run(*first, OpKind::kAbortWrite, *object));
}

TEST_P(LocalStoreTest, ABufferThatDoesNotFitThePartIsAnInternalError) {
  const auto object = store_->object({"x.pt", 8192, 4096, {}});
  const auto own = session();
  ASSERT_TRUE(run(*own, OpKind::kBeginWrite, *object));
  const PartBuffer buffer(4096);
  Operation operation{
      .kind = OpKind::kWritePart, .object = object.get(), .part = 0, .buffer = buffer.part().first(4095)};
  EXPECT_TRUE(has_code(run(*own, operation), ErrorCode::kInternal));
  EXPECT_TRUE(run(*own, OpKind::kAbortWrite, *object));
}

TEST_P(LocalStoreTest, AnOperationSlotForgetsItsLastOutcome) {
  const auto own = session();
  const auto absent = store_->object({"none.pt", 1, 4096, {}});
  Operation operation{.kind = OpKind::kBeginRead, .object = absent.get()};
  EXPECT_FALSE(run(*own, operation));
  const auto object = store_->object({"x.pt", 0, 4096, {}});
  operation.kind = OpKind::kBeginWrite;
  operation.object = object.get();
  EXPECT_TRUE(run(*own, operation));
  EXPECT_EQ(operation.attempts, 1);
  EXPECT_EQ(operation.bytes, 0);
  EXPECT_TRUE(run(*own, OpKind::kAbortWrite, *object));
}

TEST_P(LocalStoreTest, DescribesWhatItDoes) {
  const auto settings = store_->describe();
  const StoreTraits traits = store_->traits();
  EXPECT_TRUE(traits.file_system);
  EXPECT_TRUE(traits.holds_objects);
  switch (GetParam().backend) {
    case Backend::kFile:
      EXPECT_THAT(settings, ::testing::Contains(::testing::Pair("fadvise", "dontneed")));
      break;
    case Backend::kFileSequential:
      EXPECT_THAT(settings, ::testing::Contains(::testing::Pair("fadvise", "sequential")));
      break;
    case Backend::kRing:
      EXPECT_THAT(settings, ::testing::Contains(::testing::Pair("engine", "io_uring")));
      EXPECT_FALSE(traits.blocking);
      EXPECT_GE(traits.buffer_alignment, 4096);
      break;
    case Backend::kBlockingDirect:
      EXPECT_THAT(settings, ::testing::Contains(::testing::Pair(
                                "engine", "pread/pwrite (io_uring refused: Function not implemented)")));
      EXPECT_TRUE(traits.blocking);
      break;
  }
}

}  // namespace
}  // namespace mlps::storage
