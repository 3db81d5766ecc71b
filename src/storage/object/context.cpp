#include "storage/object/context.hpp"

#include <fmt/format.h>

namespace mlps::object {

std::string_view Dialect::version_of(const http::Exchange& answer) const {
  return answer.header("etag").value_or("");
}

Context::Context(Location location, TransferSettings chosen, std::vector<Server> all,
                 std::unique_ptr<const Dialect> spoken)
    : root(std::move(location)), settings(std::move(chosen)), servers(std::move(all)), dialect(std::move(spoken)) {}

std::string Context::object_uri(std::string_view name) const {
  return fmt::format("{}://{}/{}", scheme_name(root.scheme()), root.bucket(), root.key_of(name));
}

std::string Context::key_prefix(std::string_view prefix) const {
  return root.path().empty() ? std::string(prefix) : fmt::format("{}/{}", root.path(), prefix);
}

std::unique_ptr<RemoteObject> Context::make_object(storage::ObjectSpec spec) const {
  std::string path = dialect->object_path(root.key_of(spec.name));
  std::string uri = object_uri(spec.name);
  return std::make_unique<RemoteObject>(std::move(spec), dialect->limits(), std::move(path), std::move(uri));
}

}  // namespace mlps::object
