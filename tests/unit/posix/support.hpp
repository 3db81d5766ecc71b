#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/aligned_buffer.hpp"
#include "storage/store.hpp"

namespace mlps::storage::test {

/// A new empty folder below `base`, removed with all it holds.
class TempFolder {
 public:
  explicit TempFolder(const std::string& base = MLPS_TEST_SCRATCH);
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// Makes this process, if it is root's, another user's as long as it lives. Who isn't root is another user already.
class OtherUser {
 public:
  OtherUser();
  ~OtherUser();
  OtherUser(const OtherUser&) = delete;
  OtherUser& operator=(const OtherUser&) = delete;

 private:
  bool was_root_;
};

/// A file system of its own on a folder, seen by this thread only; without root's rights in a user namespace that this
/// process enters for good. Nothing where the kernel or a container allows neither.
class PrivateMount {
 public:
  static std::unique_ptr<PrivateMount> make(const std::string& type, const std::string& options);
  ~PrivateMount();
  const std::string& path() const { return folder_.path(); }

 private:
  TempFolder folder_;
  bool mounted_ = false;
};

/// From here on the system call `number` fails with `error` in this thread. False where filters can't be set.
bool refuse_calls(int number, int error);
/// Runs `work` in a thread of its own, whose filter ends with it.
void in_a_thread(const std::function<void()>& work);

/// Content of an object at an offset: no two places alike, and different for each seed.
std::byte pattern_at(uint64_t offset, uint64_t seed);
void fill_pattern(uint64_t offset, std::span<std::byte> out, uint64_t seed = 1);

/// Room for one part, as a backend may ask for it: aligned, capacity rounded up, and poisoned beyond the part.
class PartBuffer {
 public:
  explicit PartBuffer(uint64_t bytes);
  std::span<std::byte> part() const { return memory_.span().first(bytes_); }

 private:
  uint64_t bytes_;
  AlignedBuffer memory_;
};

/// Submits and polls until this one operation is back.
Status run(Session& session, Operation& operation);
Status run(Session& session, OpKind kind, Object& object);
Status write_part(Session& session, Object& object, uint32_t part, uint64_t seed = 1);
/// Reads a part and compares it; a difference is a test failure.
Status read_part(Session& session, Object& object, uint32_t part, uint64_t seed = 1);

/// Begin, all parts with pattern, commit; or begin, all parts compared, end.
Status write_object(Store& store, const ObjectSpec& spec, unsigned depth = 1, uint64_t seed = 1);
Status read_object(Store& store, const ObjectSpec& spec, unsigned depth = 1, uint64_t seed = 1);

uint64_t size_of(const std::string& path);
bool has_code(const Status& status, ErrorCode code);

/// "E606: message" of a failure, for messages of assertions.
std::string text_of(const Status& status);

}  // namespace mlps::storage::test
