#include "storage/gcs/gcs_store.hpp"

#include "base/log.hpp"
#include "storage/gcs/json_dialect.hpp"
#include "storage/object/store.hpp"
#include "storage/s3/s3_store.hpp"

namespace mlps::gcs {

std::unique_ptr<storage::Store> store_with(const Location& root, Settings settings) {
  std::vector<object::Server> servers;
  for (const storage::Endpoint& endpoint : settings.endpoints) {
    servers.push_back({.origin = (endpoint.tls ? "https://" : "http://") + endpoint.authority(),
                       .host = endpoint.authority(),
                       .path_prefix = endpoint.path,
                       .url = endpoint.url()});
  }
  const object::TransferSettings transfer = settings;
  return object::make_store(
      std::make_shared<object::Context>(root, transfer, std::move(servers), make_json_dialect(root, settings)),
      describe(settings), settings.endpoints);
}

}  // namespace mlps::gcs

namespace mlps::storage {

Result<std::unique_ptr<Store>> open_gcs_store(const Location& root, const ServerOptions& options,
                                              const Environment& environment) {
  const auto api = gcs::choose_api(environment);
  if (!api) return fail(api.error());
  if (api->api == gcs::Api::kXml) {
    if (environment.get("GOOGLE_CLOUD_QUOTA_PROJECT")) {
      log::warning("GOOGLE_CLOUD_QUOTA_PROJECT has no effect: {} chose the XML interface.", api->reason);
    }
    return open_s3_store(root, options, environment);
  }
  auto settings = gcs::resolve_settings(root, environment);
  if (!settings) return fail(std::move(settings.error()));
  object::take_options(*settings, options);
  return gcs::store_with(root, std::move(*settings));
}

Result<SettingList> describe_gcs_servers(const Location& root, const Environment& environment) {
  const auto api = gcs::choose_api(environment);
  if (!api) return fail(api.error());
  if (api->api == gcs::Api::kXml) return describe_s3_servers(root, environment);
  return gcs::resolve_settings(root, environment).map([](const gcs::Settings& settings) {
    return gcs::describe(settings);
  });
}

}  // namespace mlps::storage
