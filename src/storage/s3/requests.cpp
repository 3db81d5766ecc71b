#include <fmt/format.h>

#include <array>
#include <iterator>
#include <vector>

#include "base/encoding.hpp"
#include "storage/s3/dialect.hpp"
#include "storage/s3/sigv4.hpp"
#include "storage/s3/xml.hpp"

namespace mlps::s3 {
namespace {

using http::Method;
using object::Call;
using object::CallKind;
using object::RemoteObject;

struct CallFacts {
  std::string_view name;
  Method method;
};
constexpr std::array<CallFacts, object::kCallKinds> kCallFacts = {{
    // by kind
    {"PutObject", Method::kPut},
    {"CreateMultipartUpload", Method::kPost},
    {"UploadPart", Method::kPut},
    {"CompleteMultipartUpload", Method::kPost},
    {"AbortMultipartUpload", Method::kDelete},
    {"GetObject", Method::kGet},
    {"HeadObject", Method::kHead},
    {"HeadBucket", Method::kHead},
    {"ListObjectsV2", Method::kGet},
    {"ListMultipartUploads", Method::kGet},
    {"DeleteObject", Method::kDelete},
}};

/// Appends "name=value" to the request's query, whose parameters must come in the order of their names.
void add_parameter(Call& call, std::string_view name, std::string_view value) {
  if (!call.query.empty()) call.query += '&';
  call.query.append(name).append("=");
  append_encoded_query(call.query, value);
}

void reset(Call& call, CallKind kind, std::string_view path, std::string_view subject) {
  call.reset(kind, kCallFacts.at(static_cast<size_t>(kind)).method, path, subject);
  call.payload_hash = kEmptyPayloadHash;
}

}  // namespace

S3Dialect::S3Dialect(const Location& root, Settings settings)
    : bucket_(root.bucket()), settings_(std::move(settings)), region_(settings_.region) {
  if (!settings_.virtual_host) append_encoded_path(bucket_path_.assign("/"), bucket_);
}

std::string_view S3Dialect::call_name(CallKind kind) const {
  return kCallFacts.at(static_cast<size_t>(kind)).name;
}

std::string S3Dialect::object_path(std::string_view key) const {
  std::string out = bucket_path_ + "/";
  append_encoded_path(out, key);
  return out;
}

void S3Dialect::ask(Call& call, CallKind kind, const RemoteObject& object) const {
  reset(call, kind, object.path(), object.uri());
}

bool S3Dialect::ask_begin(Call& call, RemoteObject& object, unsigned round) const {
  if (round > 0) return false;
  ask(call, CallKind::kBeginUpload, object);
  call.query = "uploads=";
  return true;
}

bool S3Dialect::ask_part(Call& call, RemoteObject& object, uint32_t part, std::span<const std::byte> body,
                         unsigned round) const {
  if (round > 0) return false;
  if (object.single()) {
    ask(call, CallKind::kPutObject, object);
  } else {
    ask(call, CallKind::kPutPart, object);
    fmt::format_to(std::back_inserter(call.query), "partNumber={}", part + 1);
    add_parameter(call, "uploadId", object.upload_id);
    fmt::format_to(std::back_inserter(call.scope), "part {}", part + 1);
  }
  call.body = body;
  if (settings_.checksum != Checksum::kNone) {
    call.checksum = checksum_text(settings_.checksum, object.checksum_of_part(part, body));
  }
  call.payload_hash = settings_.sign_payload ? sha256_hex(body) : std::string(kUnsignedPayload);
  return true;
}

bool S3Dialect::ask_commit(Call& call, RemoteObject& object, unsigned round) const {
  if (round > 0) return false;
  std::vector<CompletedPart> parts;
  parts.reserve(object.parts.size());
  for (const object::StoredPart& part : object.parts) {
    parts.push_back({part.tag, part.checksum_kept ? checksum_text(settings_.checksum, part.checksum) : ""});
  }
  ask(call, CallKind::kCommitUpload, object);
  add_parameter(call, "uploadId", object.upload_id);
  if (settings_.checksum == Checksum::kCrc64nvme) call.checksum = whole_checksum(object);
  call.text = complete_request_body(parts, names_of(settings_.checksum).element);
  call.body = std::as_bytes(std::span(call.text));
  call.payload_hash = sha256_hex(call.text);
  return true;
}

bool S3Dialect::ask_abort(Call& call, RemoteObject& object, unsigned round) const {
  if (round == 0 && !object.upload_id.empty() && !object.completed) {
    ask(call, CallKind::kAbortUpload, object);
    add_parameter(call, "uploadId", object.upload_id);
    return true;
  }
  const bool stored = round == 0 && (object.completed || (object.single() && object.maybe_stored.load()));
  // An upload that is gone after Complete was sent has become the object, and it isn't wanted.
  const bool became_object =
      round == 1 && call.kind == CallKind::kAbortUpload && call.exchange.status == 404 && object.complete_sent;
  if (!stored && !became_object) return false;
  ask_delete(call, object);
  return true;
}

bool S3Dialect::ask_abort_found(Call& call, const RemoteObject& object, const std::string& id, unsigned round) const {
  if (round > 0) return false;
  ask(call, CallKind::kAbortUpload, object);
  add_parameter(call, "uploadId", id);
  return true;
}

void S3Dialect::ask_delete(Call& call, const RemoteObject& object) const {
  ask(call, CallKind::kDeleteObject, object);
}

void S3Dialect::ask_head(Call& call, const RemoteObject& object) const {
  ask(call, CallKind::kHeadObject, object);
}

void S3Dialect::ask_read(Call& call, const RemoteObject& object, uint64_t offset, std::span<std::byte> buffer) const {
  ask(call, CallKind::kGetObject, object);
  call.sink = buffer;
  call.first_byte = offset;
  call.object_bytes = object.size_bytes();
  call.if_match = object.pinned_strong_etag();
  if (buffer.empty()) return;  // the whole of an empty object: no range can name it
  const uint64_t last = call.first_byte + buffer.size() - 1;
  fmt::format_to(std::back_inserter(call.range), "bytes={}-{}", call.first_byte, last);
  fmt::format_to(std::back_inserter(call.scope), "bytes {}-{}", call.first_byte, last);
}

void S3Dialect::ask_bucket(Call& call, std::string_view subject) const {
  reset(call, CallKind::kHeadBucket, bucket_path_.empty() ? "/" : bucket_path_, subject);
}

void S3Dialect::ask_list(Call& call, std::string_view subject, std::string_view key_prefix,
                         const std::string& continuation) const {
  reset(call, CallKind::kListObjects, bucket_path_.empty() ? "/" : bucket_path_, subject);
  if (!continuation.empty()) add_parameter(call, "continuation-token", continuation);
  for (const auto& [name, value] : {std::pair("encoding-type", "url"), {"list-type", "2"}, {"max-keys", "1000"}}) {
    add_parameter(call, name, value);
  }
  add_parameter(call, "prefix", list_prefix(call, key_prefix));
}

/// Returns the prefix to be asked for. Directory buckets list by folder: there `call.memo` keeps what is wanted of it.
std::string_view S3Dialect::list_prefix(Call& call, std::string_view wanted) const {
  call.memo.clear();
  if (!settings_.express) return wanted;
  call.memo = wanted;
  return wanted.substr(0, wanted.rfind('/') + 1);  // 0 where there is none
}

// Asks without encoding-type: with it, Ceph RGW encodes keys without saying so, and its markers not.
bool S3Dialect::ask_list_uploads(Call& call, std::string_view subject, std::string_view key_prefix,
                                 const object::UploadsPage& after) const {
  reset(call, CallKind::kListUploads, bucket_path_.empty() ? "/" : bucket_path_, subject);
  if (!after.next_key.empty()) add_parameter(call, "key-marker", after.next_key);
  add_parameter(call, "max-uploads", "1000");
  add_parameter(call, "prefix", list_prefix(call, key_prefix));
  if (!after.next_id.empty()) add_parameter(call, "upload-id-marker", after.next_id);
  add_parameter(call, "uploads", "");
  return true;
}

}  // namespace mlps::s3
