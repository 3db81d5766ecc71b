#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "fake_service.hpp"
#include "storage/gcs/gcs_store.hpp"
#include "storage/object/remote_object.hpp"

namespace mlps::test {

using storage::Operation;
using storage::OpKind;

/// A store on a scripted service at gs://bkt/run 1, and one session of it.
class GcsTest : public ::testing::Test {
 protected:
  GcsTest();

  /// Settings with waits short enough for tests, and no token.
  gcs::Settings settings() const;
  void open(gcs::Settings settings, unsigned depth = 4, const std::string& prefix = "run 1");

  storage::Session& session() { return *session_; }
  std::unique_ptr<object::RemoteObject> object(const std::string& name, uint64_t size, uint64_t part_bytes);
  Operation run(OpKind kind, storage::Object& object, uint32_t part = 0, std::span<std::byte> buffer = {});
  Operation write_part(storage::Object& object, std::string& bytes, uint32_t part);
  /// begin, all parts, commit; the first operation that failed, or the commit.
  Operation write(storage::Object& object, std::string& bytes);
  std::vector<Operation*> wait_for(size_t count);

  FakeService service;
  ScriptedServer server;

 private:
  std::unique_ptr<storage::Store> store_;
  std::unique_ptr<storage::Session> session_;
};

std::string pattern(size_t size);  ///< bytes that differ from place to place
std::span<std::byte> bytes_of(std::string& text);

/// "E603: message ..." or "ok"; for one-line expectations.
std::string outcome(const Operation& operation);

}  // namespace mlps::test
