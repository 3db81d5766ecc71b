#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "base/crc.hpp"
#include "base/encoding.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "storage/azure/azure_dialect.hpp"
#include "storage/azure/xml.hpp"
#include "storage/probe_name.hpp"

namespace mlps::azure {

using http::Method;
using object::Call;
using object::CallKind;
using object::RemoteObject;

namespace {

constexpr size_t kNonceDigits = 16;
// Entries of real accounts have up to 2 KiB, and a list's body is bounded.
constexpr std::string_view kPageEntries = "2000";
// Names the write that made a blob of blocks, so that a lost answer to its commit can be decided by HEAD.
constexpr std::string_view kWriteHeader = "x-ms-meta-mlpstorage_write";

std::string md5_text(std::span<const std::byte> bytes) {
  std::array<std::byte, 16> digest = {};
  unsigned length = 0;
  EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(digest.data()), &length, EVP_md5(), nullptr);
  return base64(digest);
}

// Returns the id of a block in base64: unique to the write, so that a commit can't pick up blocks of an earlier one,
// and of one length, as the service demands of all blocks of a blob.
std::string block_id(std::string_view nonce, uint32_t part) {
  const std::string text = fmt::format("{}-{:07}", nonce, part);
  return base64(std::as_bytes(std::span(text)));
}

std::string new_write() {
  return storage::random_suffix().substr(0, kNonceDigits);
}

bool any_block_sent(const RemoteObject& object) {
  return std::any_of(object.parts.begin(), object.parts.end(),
                     [](const object::StoredPart& part) { return !part.tag.empty(); });
}

void ask_deletion(Call& call, const RemoteObject& object, CallKind kind, std::string_view if_match) {
  const std::string version(if_match);  // it may lie in the call's last answer
  call.reset(kind, Method::kDelete, object.path(), object.uri());
  call.if_match = version;
}

void add_parameter(Call& call, std::string_view name, std::string_view value) {
  call.query.append(call.query.empty() ? "" : "&").append(name).append("=");
  append_encoded_query(call.query, value);
}

}  // namespace

std::string crc64_text(uint64_t crc) {
  std::array<std::byte, 8> bytes = {};
  for (std::byte& byte : bytes) {
    byte = static_cast<std::byte>(crc);
    crc >>= 8;
  }
  return base64(bytes);
}

std::string_view AzureDialect::call_name(CallKind kind) const {
  constexpr std::array<std::string_view, object::kCallKinds> kNames = {
      "Put Blob",       "Put Block",  "Put Block",           "Put Block List",
      "Put Block List", "Get Blob",   "Get Blob Properties", "Get Container Properties",
      "List Blobs",     "List Blobs", "Delete Blob"};
  return kNames.at(static_cast<size_t>(kind));
}

std::string AzureDialect::object_path(std::string_view key) const {
  std::string out = fmt::format("/{}/", settings_.container);
  append_encoded_path(out, key);
  return out;
}

// ---- writing

void AzureDialect::add_body(Call& call, std::span<const std::byte> body, uint64_t crc64, const std::string& md5) const {
  call.body = body;
  if (settings_.checksum == Checksum::kCrc64) {
    call.checksum = crc64_text(crc64);
    call.headers.add("x-ms-content-crc64", call.checksum);
  } else if (settings_.checksum == Checksum::kMd5) {
    call.checksum = md5;
    call.headers.add("Content-MD5", call.checksum);
  }
}

bool AzureDialect::ask_begin(Call& /*call*/, RemoteObject& object, unsigned /*round*/) const {
  object.upload_id = new_write();
  return false;
}

bool AzureDialect::ask_part(Call& call, RemoteObject& object, uint32_t part, std::span<const std::byte> body,
                            unsigned round) const {
  if (round != 0) return false;
  object::StoredPart& kept = object.parts[part];
  const std::string md5 = settings_.checksum == Checksum::kMd5 ? md5_text(body) : std::string();
  if (settings_.checksum == Checksum::kCrc64) kept.checksum = object.checksum_of_part(part, body);
  if (object.single()) {
    call.reset(CallKind::kPutObject, Method::kPut, object.path(), object.uri());
    call.headers.add("x-ms-blob-type", "BlockBlob");
    kept.tag = md5;  // HEAD shows the same
  } else {
    call.reset(CallKind::kPutPart, Method::kPut, object.path(), object.uri());
    kept.tag = block_id(object.upload_id, part);
    add_parameter(call, "blockid", kept.tag);
    add_parameter(call, "comp", "block");
    fmt::format_to(std::back_inserter(call.scope), "part {}", part + 1);
  }
  add_body(call, body, kept.checksum, md5);
  return true;
}

Status AzureDialect::take_part(const Call& call, RemoteObject& object, uint32_t /*part*/) const {
  if (object.single()) static_cast<void>(object.is_version(call.exchange.header("etag").value_or("")));
  return {};
}

bool AzureDialect::ask_commit(Call& call, RemoteObject& object, unsigned round) const {
  if (round != 0) return false;
  call.reset(CallKind::kCommitUpload, Method::kPut, object.path(), object.uri());
  add_parameter(call, "comp", "blocklist");
  call.headers.add(kWriteHeader, object.upload_id);
  call.text = block_list_body(object.parts);
  const auto body = std::as_bytes(std::span(call.text));
  add_body(call, body, settings_.checksum == Checksum::kCrc64 ? crc64nvme(body) : 0,
           settings_.checksum == Checksum::kMd5 ? md5_text(body) : std::string());
  return true;
}

Status AzureDialect::take_commit(const Call& call, RemoteObject& object) const {
  static_cast<void>(object.is_version(call.exchange.header("etag").value_or("")));
  return {};
}

// An empty blob is made out of the blocks, unless there is a blob, and deleted. Where there is one, its metadata tell
// whether the write `mark` made it: by its commit, or by an empty list whose answer was lost. Without a mark the write
// is not known; no write leaves an empty blob with that metadata. The blocks beside a blob of an earlier write can't be
// discarded without changing that blob: the service does it after a week, or with the next write.
bool AzureDialect::discard_blocks(Call& call, const RemoteObject& object, unsigned round, std::string_view mark) const {
  if (round == 0) {
    call.reset(CallKind::kAbortUpload, Method::kPut, object.path(), object.uri());
    add_parameter(call, "comp", "blocklist");
    call.headers.add("If-None-Match", "*");
    call.headers.add(kWriteHeader, mark.empty() ? new_write() : std::string(mark));
    call.text = block_list_body({});
    call.body = std::as_bytes(std::span(call.text));
    return true;
  }
  const bool made_empty = call.method == Method::kPut && call.exchange.status == 201;
  if (call.method == Method::kPut && !made_empty) {
    call.reset(CallKind::kAbortUpload, Method::kHead, object.path(), object.uri());
    return true;
  }
  if (call.method == Method::kDelete || call.exchange.status >= 300) return false;
  const std::string_view write = call.exchange.header(kWriteHeader).value_or("");
  const bool left = mark.empty() && !write.empty() && call.exchange.header("content-length") == "0";
  if (!made_empty && !left && (mark.empty() || write != mark)) {
    if (!mark.empty()) {
      log::info(
          "{}: the blocks of a write that was given up stay beside the blob that was there before it, until the "
          "service discards them within a week, or the next write does.",
          object.uri());
    }
    return false;
  }
  ask_deletion(call, object, CallKind::kAbortUpload, call.exchange.header("etag").value_or(""));
  return true;
}

bool AzureDialect::ask_abort(Call& call, RemoteObject& object, unsigned round) const {
  const bool stored = object.completed || (object.single() && object.maybe_stored.load());
  if (stored) {
    if (round == 0) ask_delete(call, object);
    return round == 0;
  }
  if (object.single() || !any_block_sent(object)) return false;
  return discard_blocks(call, object, round, object.upload_id);
}

// ---- reading and looking

void AzureDialect::ask_head(Call& call, const RemoteObject& object) const {
  call.reset(CallKind::kHeadObject, Method::kHead, object.path(), object.uri());
}

Result<object::ObjectFacts> AzureDialect::read_head(const http::Exchange& answer) const {
  const auto text = answer.header("content-length");
  const auto size = text ? parse_number<uint64_t>(*text) : std::nullopt;
  if (!size) return fail(ErrorCode::kStorageProtocol, "the answer has no size");
  return object::ObjectFacts{*size, std::string(answer.header("etag").value_or(""))};
}

void AzureDialect::ask_read(Call& call, const RemoteObject& object, uint64_t offset,
                            std::span<std::byte> buffer) const {
  call.reset(CallKind::kGetObject, Method::kGet, object.path(), object.uri());
  call.sink = buffer;
  call.first_byte = offset;
  call.object_bytes = object.size_bytes();
  call.if_match = object.pinned_strong_etag();
  if (buffer.empty()) return;  // of an empty blob: no range can name it
  const uint64_t last = offset + buffer.size() - 1;
  fmt::format_to(std::back_inserter(call.range), "bytes={}-{}", offset, last);
  fmt::format_to(std::back_inserter(call.scope), "bytes {}-{}", offset, last);
}

void AzureDialect::ask_delete(Call& call, const RemoteObject& object) const {
  ask_deletion(call, object, CallKind::kDeleteObject, {});
}

void AzureDialect::ask_container(Call& call, CallKind kind, Method method, std::string_view subject) const {
  call.reset(kind, method, "/" + settings_.container, subject);
  add_parameter(call, "restype", "container");
}

void AzureDialect::ask_bucket(Call& call, std::string_view subject) const {
  ask_container(call, CallKind::kHeadBucket, Method::kHead, subject);
}

void AzureDialect::ask_list(Call& call, std::string_view subject, std::string_view key_prefix,
                            const std::string& continuation) const {
  ask_container(call, CallKind::kListObjects, Method::kGet, subject);
  add_parameter(call, "comp", "list");
  add_parameter(call, "maxresults", kPageEntries);
  if (!continuation.empty()) add_parameter(call, "marker", continuation);
  if (!key_prefix.empty()) add_parameter(call, "prefix", key_prefix);
}

Result<object::ObjectsPage> AzureDialect::read_list(const Call& call) const {
  return parse_blob_list(call.exchange.text);
}

bool AzureDialect::ask_list_uploads(Call& call, std::string_view subject, std::string_view key_prefix,
                                    const object::UploadsPage& after) const {
  ask_list(call, subject, key_prefix, after.next_key);
  call.kind = CallKind::kListUploads;
  add_parameter(call, "include", "uncommittedblobs");
  return true;
}

// Blobs without content may be such that have uncommitted blocks alone; ask_abort_found() touches no others.
Result<object::UploadsPage> AzureDialect::read_list_uploads(const Call& call) const {
  auto listed = parse_blob_list(call.exchange.text, true);
  if (!listed) return fail(std::move(listed.error()));
  object::UploadsPage page;
  page.next_key = std::move(listed->next);
  for (object::ListedObject& blob : listed->objects) page.uploads.push_back({std::move(blob.key), "uncommitted"});
  return page;
}

bool AzureDialect::ask_abort_found(Call& call, const RemoteObject& object, const std::string& /*id*/,
                                   unsigned round) const {
  return discard_blocks(call, object, round, "");
}

bool AzureDialect::is_this_write(const RemoteObject& object, const http::Exchange& head) const {
  return !object.upload_id.empty() && head.header(kWriteHeader) == object.upload_id;
}

}  // namespace mlps::azure
