#include "storage/s3/s3_store.hpp"

#include <fmt/format.h>

#include <atomic>

#include "base/log.hpp"
#include "storage/s3/encoding.hpp"
#include "storage/s3/s3_object.hpp"
#include "storage/s3/session.hpp"

namespace mlps::s3 {

Context::Context(Location location, Settings chosen) : root(std::move(location)), settings(std::move(chosen)) {
  for (const Endpoint& endpoint : settings.endpoints) {
    const std::string front = settings.virtual_host ? root.bucket() + "." : "";
    hosts.push_back(front + endpoint.authority());
    bases.push_back((endpoint.tls ? "https://" : "http://") + hosts.back());
  }
  if (!settings.virtual_host) append_encoded_path(bucket_path.assign("/"), root.bucket());
}

std::string Context::object_path(std::string_view name) const {
  std::string out = bucket_path + "/";
  append_encoded_path(out, root.key_of(name));
  return out;
}

std::string Context::bucket_request_path() const {
  return bucket_path.empty() ? "/" : bucket_path;
}

std::string Context::object_uri(std::string_view name) const {
  return fmt::format("{}://{}/{}", scheme_name(root.scheme()), root.bucket(), root.key_of(name));
}

std::string Context::key_prefix(std::string_view prefix) const {
  return root.path().empty() ? std::string(prefix) : fmt::format("{}/{}", root.path(), prefix);
}

namespace {

class S3Store final : public storage::Store {
 public:
  explicit S3Store(std::shared_ptr<Context> context) : context_(std::move(context)) {}

  const Location& root() const override { return context_->root; }
  storage::StoreTraits traits() const override {
    return {.backend = scheme_name(context_->root.scheme()), .reads_need_open = false};
  }
  Result<std::unique_ptr<storage::Session>> open_session(unsigned depth) override {
    return make_session(context_, depth, sessions_.fetch_add(1));
  }
  std::unique_ptr<storage::Object> object(storage::ObjectSpec spec) override {
    return std::make_unique<S3Object>(*context_, std::move(spec));
  }
  storage::SettingList describe() const override { return s3::describe(context_->settings); }
  std::vector<storage::Endpoint> endpoints() const override { return context_->settings.endpoints; }

 private:
  std::shared_ptr<Context> context_;
  std::atomic<unsigned> sessions_ = 0;
};

}  // namespace

std::unique_ptr<storage::Store> store_with(const Location& root, Settings settings) {
  return std::make_unique<S3Store>(std::make_shared<Context>(root, std::move(settings)));
}

}  // namespace mlps::s3

namespace mlps::storage {

Result<std::unique_ptr<Store>> open_s3_store(const Location& root, const Environment& environment) {
  auto settings = s3::resolve_settings(root, environment);
  if (!settings) return fail(std::move(settings.error()));
  if (root.scheme() == Scheme::kS3 && settings->endpoint_source == "default") {
    log::warning("No S3 endpoint is set (S3_ENDPOINT_URIS, AWS_ENDPOINT_URL, ...): {} goes to AWS at {}.",
                 root.to_string(), settings->endpoints.front().url());
  }
  return s3::store_with(root, std::move(*settings));
}

Result<SettingList> describe_s3_servers(const Location& root, const Environment& environment) {
  return s3::resolve_settings(root, environment).map([](const s3::Settings& settings) {
    return s3::describe(settings);
  });
}

}  // namespace mlps::storage
