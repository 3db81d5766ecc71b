#pragma once

#include <memory>
#include <string>

#include "fake_service.hpp"
#include "object_store_test.hpp"
#include "storage/gcs/gcs_store.hpp"

namespace mlps::test {

/// A store at gs://bkt/run 1 on a scripted service.
class GcsTest : public ObjectStoreTest {
 protected:
  GcsTest();

  /// Settings with waits short enough for tests, and no token.
  gcs::Settings settings() const;
  void open(gcs::Settings settings, unsigned depth = 4, const std::string& prefix = "run 1");

  const std::shared_ptr<FakeService> kept_ = std::make_shared<FakeService>();  // the server's, too, which outlives this
  FakeService& service = *kept_;
};

}  // namespace mlps::test
