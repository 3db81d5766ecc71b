#pragma once

#include <atomic>
#include <memory>

#include "storage/object/client.hpp"
#include "storage/store.hpp"

namespace mlps::object {

/// The blocking calls of a session on a client of its own, one at a time.
class Control : public storage::Session {
 public:
  Control(std::shared_ptr<Context> context, std::unique_ptr<Client> client)
      : context_(std::move(context)), client_(std::move(client)) {}

  void cancel() final {
    cancelled_.store(true);
    client_->wake();
  }
  Status reach() final;
  Status try_upload(std::string_view name, std::span<const std::byte> part) final;
  Result<storage::ObjectInfo> head(std::string_view name) final;
  Result<storage::ListPage> list(std::string_view prefix, const std::string& continuation) final;
  Status put(std::string_view name, std::span<const std::byte> bytes) final;
  Result<std::vector<std::byte>> get(std::string_view name, uint64_t offset, uint64_t length) final;
  Status remove(std::string_view name) final;
  Result<uint64_t> abort_uploads(std::string_view prefix, const storage::NameFilter& is_meant, Nanos deadline_ns) final;

 protected:
  std::shared_ptr<Context> context_;
  std::unique_ptr<Client> client_;
  std::atomic<bool> cancelled_ = false;

 private:
  struct OpenUpload {
    std::string name;  ///< relative to the root
    std::string id;
  };
  Result<UploadsPage> list_uploads(const std::string& key_prefix, const UploadsPage& after, Nanos deadline_ns);
  Result<std::vector<OpenUpload>> find_uploads(std::string_view prefix, const storage::NameFilter& is_meant,
                                               Nanos deadline_ns);
  Status abort_upload(const OpenUpload& upload, Nanos deadline_ns);
  /// Names the bucket, with `below` behind it, as the subject of the next request.
  const std::string& bucket_subject(std::string_view below);
  tl::unexpected<Error> unusable(ErrorCode code, std::string_view why) const;
  Status run();
  /// Sets `begun_unknown` if an upload may have been begun whose id no answer told.
  Status begin_and_send(RemoteObject& object, std::span<const std::byte> part, bool& begun_unknown);

  Call call_;
  std::string uri_;
  std::vector<Call*> done_;
};

}  // namespace mlps::object
