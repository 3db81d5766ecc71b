#pragma once

#include <memory>
#include <string>
#include <vector>

#include "object_store_test.hpp"
#include "storage/s3/s3_store.hpp"

namespace mlps::test {

/// Settings for scripted servers: waits short enough for tests.
s3::Settings test_settings(const std::vector<std::string>& endpoints);

/// A store at s3://bkt/run 1 on a scripted server.
class S3Test : public ObjectStoreTest {
 protected:
  static constexpr uint64_t kPart = uint64_t{5} << 20;

  S3Test() { open(test_settings({server.url()})); }

  void open(s3::Settings settings, unsigned depth = 4);

  std::unique_ptr<object::RemoteObject> object(const std::string& name, uint64_t size, uint64_t part_bytes = kPart) {
    return ObjectStoreTest::object(name, size, part_bytes);
  }
};

}  // namespace mlps::test
