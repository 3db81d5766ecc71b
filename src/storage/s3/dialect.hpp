#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>

#include "location/location.hpp"
#include "storage/object/dialect.hpp"
#include "storage/s3/settings.hpp"
#include "storage/s3/xml.hpp"

namespace mlps::s3 {

inline constexpr object::PartLimits kPartLimits = {
    .min_part_bytes = uint64_t{5} << 20, .max_part_bytes = uint64_t{5} << 30, .max_parts = 10'000};

/// The region of a bucket: the one that is set, until a server names another. Any thread may call anything.
class Region {
 public:
  explicit Region(std::string set) : name_(std::move(set)) {}

  std::string name() const {
    const std::lock_guard lock(mutex_);
    return name_;
  }
  unsigned version() const { return version_.load(std::memory_order_acquire); }  ///< changes with name()
  /// Takes over what a server says. Returns false if that is no news.
  bool learn(const std::string& name) {
    const std::lock_guard lock(mutex_);
    if (name == name_) return false;
    name_ = name;
    version_.fetch_add(1, std::memory_order_release);
    return true;
  }

 private:
  mutable std::mutex mutex_;
  std::string name_;
  std::atomic<unsigned> version_ = 0;
};

/// S3, as Amazon documents it and other servers speak it.
class S3Dialect final : public object::Dialect {
 public:
  S3Dialect(const Location& root, Settings settings);

  const Settings& settings() const { return settings_; }
  Region& region() const { return region_; }
  /// Returns the checksum that an answer says of what the server stored, as its header has it; empty if it says
  /// nothing.
  std::string stored_checksum(const http::Exchange& answer) const;
  /// Says once that requests are sent on to another server, which costs a request each.
  void tell_redirected(const std::string& from, const std::string& to) const;

  object::PartLimits limits() const override { return kPartLimits; }
  object::ChecksumFunction checksum() const override { return function_of(settings_.checksum); }
  std::string_view call_name(object::CallKind kind) const override;
  std::string object_path(std::string_view key) const override;
  std::unique_ptr<object::RequestWriter> open_writer() const override;

  bool ask_begin(object::Call& call, object::RemoteObject& object, unsigned round) const override;
  Status take_begin(const object::Call& call, object::RemoteObject& object) const override;
  bool ask_part(object::Call& call, object::RemoteObject& object, uint32_t part, std::span<const std::byte> body,
                unsigned round) const override;
  Status take_part(const object::Call& call, object::RemoteObject& object, uint32_t part) const override;
  bool ask_commit(object::Call& call, object::RemoteObject& object, unsigned round) const override;
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
  bool commit_undecided(const object::Call& call) const override;

  object::ServerError read_error(const http::Exchange& answer) const override;
  std::span<const object::ErrorRule> error_rules() const override;
  bool accepts(const object::Call& call, std::string_view server_code) const override;
  object::Verdict judge_success(const object::Call& call) const override;
  void refine(const object::Call& call, object::Verdict& verdict) const override;
  std::string advice(const object::Call& call, const object::Verdict& verdict) const override;
  void redact(std::string& text) const override;

 private:
  void ask(object::Call& call, object::CallKind kind, const object::RemoteObject& object) const;
  std::string_view list_prefix(object::Call& call, std::string_view wanted) const;
  /// Returns the checksum of all bytes of an object that was sent, of those of its parts.
  std::string whole_checksum(const object::RemoteObject& object) const;
  std::string advice_about_access(const object::Verdict& verdict) const;

  std::string bucket_;
  std::string bucket_path_;  ///< "/bucket" in path style, else empty
  Settings settings_;
  mutable Region region_;
  mutable std::atomic<bool> told_redirected_ = false;
};

}  // namespace mlps::s3
