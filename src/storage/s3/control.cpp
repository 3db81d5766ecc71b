#include "storage/s3/control.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "storage/outcome.hpp"
#include "storage/s3/encoding.hpp"
#include "storage/s3/requests.hpp"

namespace mlps::s3 {
namespace {

/// Returns the first key that doesn't begin with `prefix`, as text for an error; nothing if all do.
template <class Listed>
std::optional<std::string> stray_key(const std::vector<Listed>& list, std::string_view prefix) {
  for (const Listed& entry : list) {
    if (entry.key.starts_with(prefix)) continue;
    return fmt::format("the server listed \"{}\", which doesn't begin with the prefix", printable(entry.key));
  }
  return std::nullopt;
}

}  // namespace

void Control::ask_bucket(CallKind kind, std::string_view below) {
  path_ = context_->bucket_request_path();
  uri_ = fmt::format("{}://{}{}", scheme_name(context_->root.scheme()), context_->root.bucket(), below);
  call_.reset(kind, path_, uri_);
}

void Control::add_parameter(std::string_view name, std::string_view value) {
  call_.query.append(name).append("=");
  append_encoded_query(call_.query, value);
  call_.query += '&';
}

tl::unexpected<Error> Control::unusable(ErrorCode code, std::string_view why) const {
  return fail(code, fmt::format("{} {}: {}", call_name(call_.kind), call_.subject, why));
}

Status Control::run() {
  client_->begin(call_);
  done_.clear();
  while (done_.empty()) {
    if (cancelled_.load()) {
      client_->drop(call_);
      return fail(storage::cancelled_error(call_name(call_.kind), call_.subject));
    }
    client_->poll(std::chrono::seconds(1), done_);
  }
  if (call_.error) return fail(*call_.error);
  return {};
}

Result<storage::ObjectInfo> Control::head(std::string_view name) {
  const S3Object object(*context_, {.name = std::string(name)});
  ask_head(call_, object);
  if (auto status = run(); !status) {
    if (status.error().code != ErrorCode::kStorageNotFound) return fail(std::move(status.error()));
    // An answer to HEAD has no body, so it can't say whether the object or the whole bucket is missing.
    ask_bucket(CallKind::kHeadBucket, "");
    if (auto bucket = run(); !bucket && bucket.error().code == ErrorCode::kStorageNotFound) {
      bucket.error().suggestion =
          fmt::format("Create bucket {} first, or check the endpoint.", context_->root.bucket());
      return fail(std::move(bucket.error()));
    }
    return fail(std::move(status.error()));
  }
  const auto text = call_.exchange.header("content-length");
  const auto size = text ? parse_number<uint64_t>(*text) : std::nullopt;
  if (!size) return unusable(ErrorCode::kStorageProtocol, "the answer has no size");
  return storage::ObjectInfo{std::string(name), *size};
}

Result<storage::ListPage> Control::list(std::string_view prefix, const std::string& continuation) {
  const std::string key_prefix = context_->key_prefix(prefix);
  ask_bucket(CallKind::kListObjects, "/" + key_prefix);
  if (!continuation.empty()) add_parameter("continuation-token", continuation);
  call_.query += "encoding-type=url&list-type=2&max-keys=1000&prefix=";
  append_encoded_query(call_.query, key_prefix);
  if (auto status = run(); !status) return fail(std::move(status.error()));

  auto answer = parse_list_answer(call_.exchange.text);
  if (!answer) return unusable(answer.error().code, answer.error().message);
  if (!answer->next_token.empty() && answer->next_token == continuation) {
    return unusable(ErrorCode::kStorageProtocol, "the server repeats its continuation token, so the list never ends");
  }
  if (const auto stray = stray_key(answer->objects, key_prefix)) return unusable(ErrorCode::kStorageProtocol, *stray);
  storage::ListPage page;
  page.next = std::move(answer->next_token);
  const size_t root_bytes = context_->key_prefix("").size();
  for (const ListedObject& object : answer->objects) {
    page.objects.push_back({object.key.substr(root_bytes), object.size_bytes});
  }
  return page;
}

Status Control::put(std::string_view name, std::span<const std::byte> bytes) {
  S3Object object(*context_, {.name = std::string(name), .size_bytes = bytes.size(), .part_bytes = bytes.size()});
  object.parts.resize(1);
  ask_write(call_, object, 0, bytes, context_->settings);
  return run();
}

Result<std::vector<std::byte>> Control::get(std::string_view name, uint64_t offset, uint64_t length) {
  std::vector<std::byte> out(length);
  if (length == 0) return out;
  const S3Object object(*context_, {.name = std::string(name)});
  ask_read(call_, object, offset, out);
  call_.object_bytes.reset();  // not known
  if (auto status = run(); !status) return fail(std::move(status.error()));
  return out;
}

Status Control::remove(std::string_view name) {
  const S3Object object(*context_, {.name = std::string(name)});
  ask_delete(call_, object);
  return run();
}

// Asks for the page after `after`, without encoding-type: with it, Ceph RGW encodes keys without saying so, and its
// markers not.
Result<UploadsAnswer> Control::list_uploads(const std::string& key_prefix, const UploadsAnswer& after,
                                            Nanos deadline_ns) {
  ask_bucket(CallKind::kListUploads, "/" + key_prefix);
  call_.deadline_ns = deadline_ns;
  if (!after.next_key.empty()) add_parameter("key-marker", after.next_key);
  call_.query += "max-uploads=1000&";
  add_parameter("prefix", key_prefix);
  if (!after.next_id.empty()) add_parameter("upload-id-marker", after.next_id);
  call_.query += "uploads=";
  if (auto status = run(); !status) return fail(std::move(status.error()));

  auto answer = parse_uploads_answer(call_.exchange.text);
  if (!answer) return unusable(answer.error().code, answer.error().message);
  if (!answer->next_key.empty() && answer->next_key == after.next_key && answer->next_id == after.next_id) {
    return unusable(ErrorCode::kStorageProtocol, "the server repeats its marker, so the list never ends");
  }
  if (const auto stray = stray_key(answer->uploads, key_prefix)) return unusable(ErrorCode::kStorageProtocol, *stray);
  return std::move(*answer);
}

Result<std::vector<Control::OpenUpload>> Control::find_uploads(std::string_view prefix,
                                                               const storage::NameFilter& is_meant, Nanos deadline_ns) {
  const std::string key_prefix = context_->key_prefix(prefix);
  const size_t root_bytes = context_->key_prefix("").size();
  std::vector<OpenUpload> found;
  UploadsAnswer page;
  do {
    if (now_ns() >= deadline_ns) {
      return fail(ErrorCode::kStorageUnreachable, fmt::format("ListMultipartUploads s3://{}/{}: not done in time",
                                                              context_->root.bucket(), key_prefix));
    }
    auto next = list_uploads(key_prefix, page, deadline_ns);
    if (!next) return fail(std::move(next.error()));
    page = std::move(*next);
    for (ListedUpload& upload : page.uploads) {
      std::string name = upload.key.substr(root_bytes);
      if (is_meant(name)) found.push_back({std::move(name), std::move(upload.id)});
    }
  } while (!page.next_key.empty());
  return found;
}

Status Control::abort_upload(const OpenUpload& upload, Nanos deadline_ns) {
  S3Object object(*context_, {.name = upload.name});
  append_encoded_query(object.upload_id, upload.id);
  ask_abort(call_, object);
  call_.deadline_ns = deadline_ns;
  if (now_ns() < deadline_ns) return run();
  return unusable(ErrorCode::kStorageUnreachable, "not done in time");
}

Result<uint64_t> Control::abort_uploads(std::string_view prefix, const storage::NameFilter& is_meant,
                                        Nanos deadline_ns) {
  const auto found = find_uploads(prefix, is_meant, deadline_ns);
  if (!found) return fail(found.error());
  uint64_t aborted = 0;
  std::optional<Error> first;
  for (const OpenUpload& upload : *found) {
    Status status = abort_upload(upload, deadline_ns);
    if (status) {
      ++aborted;
    } else if (!first) {
      first = std::move(status.error());
    }
  }
  if (!first) return aborted;
  first->message = fmt::format("{} of {} unfinished uploads could not be aborted; the first: {}",
                               found->size() - aborted, found->size(), first->message);
  return fail(std::move(*first));
}

}  // namespace mlps::s3
