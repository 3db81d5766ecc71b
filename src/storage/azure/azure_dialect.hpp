#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/crc.hpp"
#include "storage/azure/settings.hpp"
#include "storage/object/dialect.hpp"

namespace mlps::azure {

inline constexpr uint64_t kMaxBlockBytes = uint64_t{4000} << 20;
inline constexpr uint64_t kMaxBlocks = 50'000;  ///< that one blob can be made of
/// The version of the REST interface that is spoken: the first with all that is used here (blocks of 4,000 MiB, CRC64,
/// names in lists that XML can't hold).
inline constexpr std::string_view kServiceVersion = "2021-12-02";

/// Returns the value of x-ms-content-crc64: base64 of the eight bytes of the CRC, least significant first.
std::string crc64_text(uint64_t crc);

/// The REST interface of Azure Blob storage. An object of one part is a Put Blob; a larger one is put in blocks, which
/// a Put Block List makes a blob. Blocks that are given up are discarded by making an empty blob of them, where there
/// is no blob yet, and deleting that.
class AzureDialect final : public object::Dialect {
 public:
  explicit AzureDialect(const Settings& settings) : settings_(settings) {}

  object::PartLimits limits() const override { return {1, kMaxBlockBytes, kMaxBlocks}; }
  object::ChecksumFunction checksum() const override {
    return settings_.checksum == Checksum::kCrc64 ? &crc64nvme : nullptr;
  }
  std::string_view call_name(object::CallKind kind) const override;
  std::string object_path(std::string_view key) const override;
  std::unique_ptr<object::RequestWriter> open_writer() const override;

  bool ask_begin(object::Call& call, object::RemoteObject& object, unsigned round) const override;
  Status take_begin(const object::Call&, object::RemoteObject&) const override { return {}; }
  bool ask_part(object::Call& call, object::RemoteObject& object, uint32_t part, std::span<const std::byte> body,
                unsigned round) const override;
  Status take_part(const object::Call& call, object::RemoteObject& object, uint32_t part) const override;
  bool ask_commit(object::Call& call, object::RemoteObject& object, unsigned round) const override;
  Status take_commit(const object::Call& call, object::RemoteObject& object) const override;
  bool ask_abort(object::Call& call, object::RemoteObject& object, unsigned round) const override;

  void ask_head(object::Call& call, const object::RemoteObject& object) const override;
  Result<object::ObjectFacts> read_head(const http::Exchange& answer) const override;
  void ask_read(object::Call& call, const object::RemoteObject& object, uint64_t offset,
                std::span<std::byte> buffer) const override;
  void ask_delete(object::Call& call, const object::RemoteObject& object) const override;
  void ask_bucket(object::Call& call, std::string_view subject) const override;
  void ask_list(object::Call& call, std::string_view subject, std::string_view key_prefix,
                const std::string& continuation) const override;
  Result<object::ObjectsPage> read_list(const object::Call& call) const override;
  bool ask_list_uploads(object::Call& call, std::string_view subject, std::string_view key_prefix,
                        const object::UploadsPage& after) const override;
  Result<object::UploadsPage> read_list_uploads(const object::Call& call) const override;
  bool ask_abort_found(object::Call& call, const object::RemoteObject& object, const std::string& id,
                       unsigned round) const override;

  std::optional<Error> check_stored(const object::RemoteObject& object, const http::Exchange& head) const override;
  bool is_this_write(const object::RemoteObject& object, const http::Exchange& head) const override;
  /// Blocks too: one that is stored after its write was given up would lie there for a week.
  bool outlives_connection(const object::Call& call) const override {
    return call.kind == object::CallKind::kPutObject || call.kind == object::CallKind::kPutPart ||
           call.kind == object::CallKind::kCommitUpload;
  }

  object::ServerError read_error(const http::Exchange& answer) const override;
  std::span<const object::ErrorRule> error_rules() const override;
  bool accepts(const object::Call& call, std::string_view server_code) const override;
  object::Verdict judge_success(const object::Call& call) const override;
  void refine(const object::Call& call, object::Verdict& verdict) const override;
  std::string advice(const object::Call& call, const object::Verdict& verdict) const override;
  void redact(std::string& text) const override;

 private:
  void add_body(object::Call& call, std::span<const std::byte> body, uint64_t crc64, const std::string& md5) const;
  void ask_container(object::Call& call, object::CallKind kind, http::Method method, std::string_view subject) const;
  bool discard_blocks(object::Call& call, const object::RemoteObject& object, unsigned round,
                      std::string_view mark) const;
  std::string denied_advice(const object::Verdict& verdict) const;

  Settings settings_;
};

}  // namespace mlps::azure
