#pragma once

#include <atomic>

#include "storage/s3/client.hpp"
#include "storage/s3/xml.hpp"
#include "storage/store.hpp"

namespace mlps::s3 {

/// Implements the blocking calls of a session over a client, one at a time.
class Control {
 public:
  Control(Client& client, const std::atomic<bool>& cancelled) : client_(client), cancelled_(cancelled) {}

  Result<storage::ObjectInfo> head(std::string_view name);
  Result<storage::ListPage> list(std::string_view prefix, const std::string& continuation);
  Status put(std::string_view name, std::span<const std::byte> bytes);
  Result<std::vector<std::byte>> get(std::string_view name, uint64_t offset, uint64_t length);
  Status remove(std::string_view name);
  Result<uint64_t> abort_uploads(std::string_view prefix, const storage::NameFilter& is_meant, Nanos deadline_ns);

 private:
  struct OpenUpload {
    std::string name;  ///< relative to the root
    std::string id;
  };
  Result<UploadsAnswer> list_uploads(const std::string& key_prefix, const UploadsAnswer& after, Nanos deadline_ns);
  Result<std::vector<OpenUpload>> find_uploads(std::string_view prefix, const storage::NameFilter& is_meant,
                                               Nanos deadline_ns);
  Status abort_upload(const OpenUpload& upload, Nanos deadline_ns);
  void prepare(CallKind kind, std::string_view name);
  Status run();

  Client& client_;
  const std::atomic<bool>& cancelled_;
  Call call_;
  std::string path_;
  std::string uri_;
  std::vector<Call*> done_;
};

}  // namespace mlps::s3
