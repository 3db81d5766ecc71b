#include "fixture.hpp"

#include "storage/endpoint_text.hpp"

namespace mlps::test {

GcsTest::GcsTest() {
  server.answer_with([kept = kept_](const Request& request) { return kept->answer(request); });
  open(settings());
}

gcs::Settings GcsTest::settings() const {
  gcs::Settings settings;
  shorten_waits(settings);
  settings.endpoints = {*storage::parse_endpoint(server.url(), "test")};
  settings.endpoint_source = "GCS_ENDPOINT_URL";
  settings.identity = {gcs::Nobody{}, "none", ""};
  return settings;
}

void GcsTest::open(gcs::Settings settings, unsigned depth, const std::string& prefix) {
  use(gcs::store_with(Location(Scheme::kGs, "bkt", prefix), std::move(settings)), depth);
}

}  // namespace mlps::test
