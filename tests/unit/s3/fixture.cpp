#include "fixture.hpp"

namespace mlps::test {

s3::Settings test_settings(const std::vector<std::string>& endpoints) {
  s3::Settings settings;
  shorten_waits(settings);
  for (const std::string& url : endpoints) settings.endpoints.push_back(*storage::parse_endpoint(url, "test"));
  settings.endpoint_source = "AWS_ENDPOINT_URL";
  settings.region = "us-east-1";
  settings.credentials =
      std::make_shared<s3::KeySource>("environment", s3::Credentials{"KEYID", "very-secret-key", "very-secret-token"});
  return settings;
}

void S3Test::open(s3::Settings settings, unsigned depth) {
  use(s3::store_with(Location(Scheme::kS3, "bkt", "run 1"), std::move(settings)), depth);
}

}  // namespace mlps::test
