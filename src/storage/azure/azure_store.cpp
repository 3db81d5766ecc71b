#include "storage/azure/azure_store.hpp"

#include "storage/azure/azure_dialect.hpp"
#include "storage/object/store.hpp"

namespace mlps::azure {

std::unique_ptr<storage::Store> store_with(const Location& root, Settings settings) {
  std::vector<object::Server> servers;
  for (const storage::Endpoint& endpoint : settings.endpoints) {
    const std::string origin = (endpoint.tls ? "https://" : "http://") + endpoint.authority();
    servers.push_back({origin, endpoint.authority(), endpoint.path, endpoint.url()});
  }
  auto endpoints = settings.endpoints;
  auto description = describe(settings);
  auto dialect = std::make_unique<AzureDialect>(settings);
  auto context = std::make_shared<object::Context>(root, std::move(settings), std::move(servers), std::move(dialect));
  return object::make_store(std::move(context), std::move(description), std::move(endpoints));
}

}  // namespace mlps::azure

namespace mlps::storage {

Result<std::unique_ptr<Store>> open_azure_store(const Location& root, const ServerOptions& options,
                                                const Environment& environment) {
  auto settings = azure::resolve_settings(root, environment);
  if (!settings) return fail(std::move(settings.error()));
  object::take_options(*settings, options);
  return azure::store_with(root, std::move(*settings));
}

Result<SettingList> describe_azure_servers(const Location& root, const Environment& environment) {
  return azure::resolve_settings(root, environment).map([](const azure::Settings& settings) {
    return azure::describe(settings);
  });
}

}  // namespace mlps::storage
