#include "storage/object/context.hpp"

#include <fmt/format.h>

#include "base/log.hpp"

namespace mlps::object {

std::string_view Dialect::version_of(const http::Exchange& answer) const {
  return answer.header("etag").value_or("");
}

Context::Context(Location location, TransferSettings chosen, std::vector<Server> all,
                 std::unique_ptr<const Dialect> spoken)
    : root(std::move(location)),
      settings(std::move(chosen)),
      servers(std::move(all), settings.balance),
      dialect(std::move(spoken)) {}

void Context::tell_open_upload(const std::string& uri, const std::string& reason) {
  if (told_open_upload.exchange(true)) return;
  log::warning(
      "An upload of {} (and of further objects) may have stayed open: the answer to its beginning was lost, and "
      "unfinished uploads can't be found or aborted: {}",
      uri, reason);
}

std::string Context::bucket_uri() const {
  return fmt::format("{}://{}", scheme_name(root.scheme()), root.bucket());
}

std::string Context::object_uri(std::string_view name) const {
  return fmt::format("{}://{}/{}", scheme_name(root.scheme()), root.bucket(), root.key_of(name));
}

std::string Context::key_prefix(std::string_view prefix) const {
  return root.path().empty() ? std::string(prefix) : fmt::format("{}/{}", root.path(), prefix);
}

std::unique_ptr<RemoteObject> Context::make_object(storage::ObjectSpec spec) const {
  std::string path = dialect->object_path(root.key_of(spec.name));
  std::string uri = object_uri(spec.name);
  return std::make_unique<RemoteObject>(std::move(spec), dialect->limits(), dialect->checksum(), std::move(path),
                                        std::move(uri));
}

}  // namespace mlps::object
