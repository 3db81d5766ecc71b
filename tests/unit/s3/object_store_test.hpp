#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "scripted_server.hpp"
#include "storage/object/remote_object.hpp"
#include "storage/object/settings.hpp"
#include "storage/store.hpp"

namespace mlps::test {

using storage::Operation;
using storage::OpKind;

/// Makes the waits of a store short enough for tests.
void shorten_waits(object::TransferSettings& settings);

/// Bytes that differ from place to place.
std::string pattern(size_t size);
std::span<std::byte> bytes_of(std::string& text);

/// "E603: message ..." or "ok"; for one-line expectations.
std::string outcome(const Operation& operation);

/// A scripted server, a store of objects on it, and one session of that.
class ObjectStoreTest : public ::testing::Test {
 protected:
  void use(std::unique_ptr<storage::Store> store, unsigned depth);

  /// Ends the session; what it has counted is then in the store.
  void close_session() { session_.reset(); }
  storage::Session& session() { return *session_; }
  storage::Store& store() { return *store_; }

  std::unique_ptr<object::RemoteObject> object(const std::string& name, uint64_t size, uint64_t part_bytes);
  /// Submits one operation and waits for it.
  Operation run(OpKind kind, storage::Object& object, uint32_t part = 0, std::span<std::byte> buffer = {});
  /// Waits until `count` operations have come back.
  std::vector<Operation*> wait_for(size_t count);
  Operation write_part(storage::Object& object, std::string& bytes, uint32_t part);
  /// begin, all parts, commit; the first operation that failed, or the commit.
  Operation write(storage::Object& object, std::string& bytes);

  ScriptedServer server;

 private:
  std::unique_ptr<storage::Store> store_;
  std::unique_ptr<storage::Session> session_;
};

}  // namespace mlps::test
