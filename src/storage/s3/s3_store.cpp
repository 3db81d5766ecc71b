#include "storage/s3/s3_store.hpp"

#include "base/log.hpp"
#include "storage/object/store.hpp"
#include "storage/s3/dialect.hpp"

namespace mlps::s3 {

std::shared_ptr<object::Context> make_context(const Location& root, Settings settings) {
  std::vector<object::Server> servers;
  for (const Endpoint& endpoint : settings.endpoints) {
    const std::string host = (settings.virtual_host ? root.bucket() + "." : "") + endpoint.authority();
    servers.push_back({.origin = (endpoint.tls ? "https://" : "http://") + host,
                       .host = host,
                       .path_prefix = endpoint.path,
                       .url = endpoint.url()});
  }
  const object::TransferSettings transfer = settings;
  return std::make_shared<object::Context>(root, transfer, std::move(servers),
                                           std::make_unique<S3Dialect>(root, std::move(settings)));
}

std::unique_ptr<storage::Store> store_with(const Location& root, Settings settings) {
  storage::SettingList description = describe(settings);
  std::vector<Endpoint> endpoints = settings.endpoints;
  return object::make_store(make_context(root, std::move(settings)), std::move(description), std::move(endpoints));
}

}  // namespace mlps::s3

namespace mlps::storage {

Result<std::unique_ptr<Store>> open_s3_store(const Location& root, const ServerOptions& options,
                                             const Environment& environment) {
  auto settings = s3::resolve_settings(root, environment);
  if (!settings) return fail(std::move(settings.error()));
  object::take_options(*settings, options);
  for (const std::string& warning : settings->warnings) log::warning("{}.", warning);
  if (root.scheme() == Scheme::kS3 && settings->is_aws_default()) {
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
