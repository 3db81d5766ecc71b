#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "scripted_server.hpp"
#include "storage/object/remote_object.hpp"
#include "storage/s3/s3_store.hpp"

namespace mlps::test {

using storage::Operation;
using storage::OpKind;

/// Settings for a scripted server: waits short enough for tests.
s3::Settings test_settings(const std::vector<std::string>& endpoints);

/// Bytes that differ from place to place.
std::string pattern(size_t size);

/// A store on a scripted server, and one session of it.
class S3Test : public ::testing::Test {
 protected:
  static constexpr uint64_t kPart = uint64_t{5} << 20;

  S3Test() { open(test_settings({server.url()})); }

  void open(s3::Settings settings, unsigned depth = 4);

  /// Ends the session; what it has counted is then in the store.
  void close_session() { session_.reset(); }

  storage::Session& session() { return *session_; }
  std::unique_ptr<object::RemoteObject> object(const std::string& name, uint64_t size, uint64_t part_bytes = kPart);

  /// Submits one operation and waits for it.
  Operation run(OpKind kind, storage::Object& object, uint32_t part = 0, std::span<std::byte> buffer = {});
  /// Waits until `count` operations have come back.
  std::vector<Operation*> wait_for(size_t count);

  Operation write_part(storage::Object& object, std::string& bytes, uint32_t part);
  /// begin, all parts, commit; the first operation that failed, or the commit.
  Operation write(storage::Object& object, std::string& bytes);

  storage::Store& store() { return *store_; }

  ScriptedServer server;

 private:
  std::unique_ptr<storage::Store> store_;
  std::unique_ptr<storage::Session> session_;
};

std::span<std::byte> bytes_of(std::string& text);

/// "E603: message ..." or "ok"; for one-line expectations.
std::string outcome(const Operation& operation);

}  // namespace mlps::test
