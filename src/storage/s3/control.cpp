#include "storage/s3/control.hpp"

#include <fmt/format.h>

#include "base/crc.hpp"
#include "base/text.hpp"
#include "storage/outcome.hpp"
#include "storage/s3/crc32c.hpp"
#include "storage/s3/encoding.hpp"

namespace mlps::s3 {

void Control::prepare(CallKind kind, std::string_view name) {
  path_ = client_.context().object_path(name);
  uri_ = client_.context().object_uri(name);
  call_.reset(kind, path_, uri_);
}

Status Control::run() {
  client_.begin(call_);
  done_.clear();
  while (done_.empty()) {
    if (cancelled_.load()) {
      client_.drop(call_);
      return fail(storage::cancelled_error(call_name(call_.kind), call_.subject));
    }
    client_.poll(std::chrono::seconds(1), done_);
  }
  if (call_.error) return fail(*call_.error);
  return {};
}

Result<storage::ObjectInfo> Control::head(std::string_view name) {
  prepare(CallKind::kHeadObject, name);
  if (auto status = run(); !status) {
    if (status.error().code != ErrorCode::kStorageNotFound) return fail(std::move(status.error()));
    // An answer to HEAD has no body, so it can't say whether the object or the whole bucket is missing.
    const Context& context = client_.context();
    path_ = context.bucket_request_path();
    uri_ = fmt::format("{}://{}", scheme_name(context.root.scheme()), context.root.bucket());
    call_.reset(CallKind::kHeadBucket, path_, uri_);
    if (auto bucket = run(); !bucket && bucket.error().code == ErrorCode::kStorageNotFound) {
      bucket.error().suggestion = fmt::format("Create bucket {} first, or check the endpoint.", context.root.bucket());
      return fail(std::move(bucket.error()));
    }
    return fail(std::move(status.error()));
  }
  const auto text = call_.exchange.header("content-length");
  const auto size = text ? parse_number<uint64_t>(*text) : std::nullopt;
  if (!size) return fail(ErrorCode::kStorageProtocol, fmt::format("HeadObject {}: the answer has no size", uri_));
  return storage::ObjectInfo{std::string(name), *size};
}

Result<storage::ListPage> Control::list(std::string_view prefix, const std::string& continuation) {
  const Context& context = client_.context();
  const std::string key_prefix = context.key_prefix(prefix);
  path_ = context.bucket_request_path();
  uri_ = fmt::format("{}://{}/{}", scheme_name(context.root.scheme()), context.root.bucket(), key_prefix);
  call_.reset(CallKind::kListObjects, path_, uri_);
  if (!continuation.empty()) {
    call_.query = "continuation-token=";
    append_encoded_query(call_.query, continuation);
    call_.query += '&';
  }
  call_.query += "encoding-type=url&list-type=2&max-keys=1000&prefix=";
  append_encoded_query(call_.query, key_prefix);
  if (auto status = run(); !status) return fail(std::move(status.error()));

  const auto refuse = [&](ErrorCode code, std::string_view why) {
    return fail(code, fmt::format("ListObjectsV2 {}: {}", uri_, why));
  };
  auto answer = parse_list_answer(call_.exchange.text);
  if (!answer) return refuse(answer.error().code, answer.error().message);
  if (!answer->next_token.empty() && answer->next_token == continuation) {
    return refuse(ErrorCode::kStorageProtocol, "the server repeats its continuation token, so the list never ends");
  }
  storage::ListPage page;
  page.next = std::move(answer->next_token);
  const std::string root_prefix = context.key_prefix("");
  for (ListedObject& object : answer->objects) {
    if (!object.key.starts_with(key_prefix)) {
      return refuse(
          ErrorCode::kStorageProtocol,
          fmt::format("the server listed \"{}\", which doesn't begin with the prefix", printable(object.key)));
    }
    page.objects.push_back({object.key.substr(root_prefix.size()), object.size_bytes});
  }
  return page;
}

Status Control::put(std::string_view name, std::span<const std::byte> bytes) {
  prepare(CallKind::kPutObject, name);
  const Settings& settings = client_.context().settings;
  call_.body = bytes;
  call_.payload_hash = settings.sign_payload ? sha256_hex(bytes) : std::string(kUnsignedPayload);
  if (settings.checksum) call_.checksum = crc32c_text(crc32c(bytes));
  return run();
}

Result<std::vector<std::byte>> Control::get(std::string_view name, uint64_t offset, uint64_t length) {
  std::vector<std::byte> out(length);
  if (length == 0) return out;
  prepare(CallKind::kGetObject, name);
  call_.sink = out;
  call_.first_byte = offset;
  call_.range = fmt::format("bytes={}-{}", offset, offset + length - 1);
  call_.scope = fmt::format("bytes {}-{}", offset, offset + length - 1);
  if (auto status = run(); !status) return fail(std::move(status.error()));
  return out;
}

Status Control::remove(std::string_view name) {
  prepare(CallKind::kDeleteObject, name);
  return run();
}

// Asks for the page after `after`, without encoding-type: with it, Ceph RGW encodes keys without saying so, and its
// markers not.
Result<UploadsAnswer> Control::list_uploads(const std::string& key_prefix, const UploadsAnswer& after,
                                            Nanos deadline_ns) {
  const Context& context = client_.context();
  path_ = context.bucket_request_path();
  uri_ = fmt::format("{}://{}/{}", scheme_name(context.root.scheme()), context.root.bucket(), key_prefix);
  call_.reset(CallKind::kListUploads, path_, uri_);
  call_.deadline_ns = deadline_ns;
  if (!after.next_key.empty()) {
    call_.query = "key-marker=";
    append_encoded_query(call_.query, after.next_key);
    call_.query += '&';
  }
  call_.query += "max-uploads=1000&prefix=";
  append_encoded_query(call_.query, key_prefix);
  if (!after.next_id.empty()) {
    call_.query += "&upload-id-marker=";
    append_encoded_query(call_.query, after.next_id);
  }
  call_.query += "&uploads=";
  if (auto status = run(); !status) return fail(std::move(status.error()));

  const auto refuse = [&](ErrorCode code, std::string_view why) {
    return fail(code, fmt::format("ListMultipartUploads {}: {}", uri_, why));
  };
  auto answer = parse_uploads_answer(call_.exchange.text);
  if (!answer) return refuse(answer.error().code, answer.error().message);
  if (!answer->next_key.empty() && answer->next_key == after.next_key && answer->next_id == after.next_id) {
    return refuse(ErrorCode::kStorageProtocol, "the server repeats its marker, so the list never ends");
  }
  for (const ListedUpload& upload : answer->uploads) {
    if (upload.key.starts_with(key_prefix)) continue;
    return refuse(ErrorCode::kStorageProtocol,
                  fmt::format("the server listed \"{}\", which doesn't begin with the prefix", printable(upload.key)));
  }
  return std::move(*answer);
}

Result<std::vector<Control::OpenUpload>> Control::find_uploads(std::string_view prefix,
                                                               const storage::NameFilter& is_meant, Nanos deadline_ns) {
  const Context& context = client_.context();
  const std::string key_prefix = context.key_prefix(prefix);
  const size_t root_bytes = context.key_prefix("").size();
  std::vector<OpenUpload> found;
  UploadsAnswer page;
  do {
    if (now_ns() >= deadline_ns) {
      return fail(ErrorCode::kStorageUnreachable,
                  fmt::format("ListMultipartUploads s3://{}/{}: not done in time", context.root.bucket(), key_prefix));
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
  prepare(CallKind::kAbortUpload, upload.name);
  call_.deadline_ns = deadline_ns;
  call_.query = "uploadId=";
  append_encoded_query(call_.query, upload.id);
  if (now_ns() < deadline_ns) return run();
  return fail(ErrorCode::kStorageUnreachable, fmt::format("AbortMultipartUpload {}: not done in time", uri_));
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
