#include "storage/s3/xml.hpp"

#include <fmt/format.h>

#include <array>
#include <iterator>
#include <optional>

#include "base/encoding.hpp"
#include "base/text.hpp"
#include "storage/object/xml.hpp"

namespace mlps::s3 {
namespace {

constexpr size_t kMaxUploadId = 4096;

using object::check_root;
using object::child;
using object::local_name;
using object::text_of;

/// A document and its root element.
struct Parsed {
  pugi::xml_document document;
  pugi::xml_node root;
};

Status parse(std::string_view body, Parsed& out) {
  auto status = object::parse_xml(body, out.document);
  out.root = out.document.document_element();
  return status;
}

object::ServerError error_of(const pugi::xml_node& root) {
  object::ServerError out;
  out.code = printable(text_of(root, "Code"), 100);
  out.message = printable(text_of(root, "Message"));
  out.request_id = printable(text_of(root, "RequestId"), 100);
  out.region = printable(text_of(root, "Region"), 100);
  return out;
}

/// Parses an answer whose root element must be `wanted`.
Status parse_as(std::string_view wanted, std::string_view body, Parsed& out) {
  if (auto status = parse(body, out); !status) return status;
  return check_root(out.root, wanted);
}

Result<std::string> key_in(const pugi::xml_node& node, std::string_view element, bool encoded) {
  const std::string_view key = text_of(node, element);
  auto decoded = encoded ? percent_decoded(key) : std::optional<std::string>(key);
  if (!decoded || decoded->empty()) {
    return fail(ErrorCode::kStorageProtocol, fmt::format("the list holds the unusable key \"{}\"", printable(key)));
  }
  return std::move(*decoded);
}

Result<std::string> upload_id_in(const pugi::xml_node& node) {
  std::string id(trimmed(text_of(node, "UploadId")));
  if (id.empty() || id.size() > kMaxUploadId) {
    return fail(ErrorCode::kStorageProtocol, fmt::format("the answer's UploadId has {} bytes", id.size()));
  }
  return id;
}

Result<bool> is_truncated(const pugi::xml_node& root) {
  const std::string_view truncated = trimmed(text_of(root, "IsTruncated"));
  if (truncated == "true") return true;
  if (truncated == "false") return false;
  return fail(ErrorCode::kStorageProtocol, "the list doesn't say whether it is complete (IsTruncated)");
}

Result<object::ListedObject> listed_object(const pugi::xml_node& node, bool encoded) {
  object::ListedObject out;
  auto key = key_in(node, "Key", encoded);
  if (!key) return fail(std::move(key.error()));
  out.key = std::move(*key);
  const auto size = parse_number<uint64_t>(trimmed(text_of(node, "Size")));
  if (!size) {
    return fail(ErrorCode::kStorageProtocol, fmt::format("the list has no size for key \"{}\"", printable(out.key)));
  }
  out.size_bytes = *size;
  return out;
}

void append_escaped(std::string& out, std::string_view text) {
  constexpr std::string_view kSpecial = "&<>\"";
  constexpr std::array<std::string_view, 4> kEscaped = {"&amp;", "&lt;", "&gt;", "&quot;"};
  for (const char c : text) {
    const size_t at = kSpecial.find(c);
    out += at == std::string_view::npos ? std::string_view(&c, 1) : kEscaped[at];
  }
}

}  // namespace

RoleAnswer parse_role_body(std::string_view body) {
  Parsed parsed;
  RoleAnswer answer;
  if (!parse(body, parsed)) return answer;
  if (local_name(parsed.root) == "Error") answer.error = error_of(parsed.root);
  for (const pugi::xml_node& node : parsed.root.children()) {
    if (local_name(node) == "Error") answer.error = error_of(node);
    // Of STS they stand in the action's result, of S3 sessions in the root.
    const pugi::xml_node keys = local_name(node) == "Credentials" ? node : child(node, "Credentials");
    if (!keys) continue;
    answer.access_key = text_of(keys, "AccessKeyId");
    answer.secret_key = text_of(keys, "SecretAccessKey");
    answer.session_token = text_of(keys, "SessionToken");
    answer.expiration = text_of(keys, "Expiration");
  }
  return answer;
}

object::ServerError parse_error_body(std::string_view body) {
  Parsed parsed;
  if (!parse(body, parsed)) return {};
  return local_name(parsed.root) == "Error" ? error_of(parsed.root) : object::ServerError{};
}

std::string redirect_endpoint(std::string_view body) {
  Parsed parsed;
  if (!parse(body, parsed) || local_name(parsed.root) != "Error") return {};
  return printable(text_of(parsed.root, "Endpoint"), 253);
}

Result<std::string> parse_upload_id(std::string_view body) {
  Parsed parsed;
  if (auto status = parse(body, parsed); !status) return fail(std::move(status.error()));
  // Servers name the root element in their own ways; what counts is the id.
  if (!child(parsed.root, "UploadId")) {
    if (auto status = check_root(parsed.root, "InitiateMultipartUploadResult"); !status) return fail(status.error());
  }
  return upload_id_in(parsed.root);
}

Result<CompleteAnswer> parse_complete_answer(std::string_view body) {
  Parsed parsed;
  if (auto status = parse(body, parsed); !status) return fail(std::move(status.error()));
  if (local_name(parsed.root) == "Error") return CompleteAnswer{true, error_of(parsed.root), {}};
  if (auto status = check_root(parsed.root, "CompleteMultipartUploadResult"); !status) return fail(status.error());
  return CompleteAnswer{false, {}, printable(text_of(parsed.root, "ETag"))};
}

Result<object::ObjectsPage> parse_list_answer(std::string_view body) {
  Parsed parsed;
  if (auto status = parse_as("ListBucketResult", body, parsed); !status) return fail(status.error());
  const pugi::xml_node& root = parsed.root;
  object::ObjectsPage out;
  const bool encoded = text_of(root, "EncodingType") == "url";
  for (const pugi::xml_node& node : root.children()) {
    if (local_name(node) != "Contents") continue;
    auto object = listed_object(node, encoded);
    if (!object) return fail(std::move(object.error()));
    out.objects.push_back(std::move(*object));
  }
  const auto truncated = is_truncated(root);
  if (!truncated) return fail(truncated.error());
  if (*truncated) out.next = text_of(root, "NextContinuationToken");
  if (*truncated && out.next.empty()) {
    return fail(ErrorCode::kStorageProtocol, "the list is cut short without a NextContinuationToken");
  }
  return out;
}

Result<object::UploadsPage> parse_uploads_answer(std::string_view body) {
  Parsed parsed;
  if (auto status = parse_as("ListMultipartUploadsResult", body, parsed); !status) return fail(status.error());
  const pugi::xml_node& root = parsed.root;
  object::UploadsPage out;
  const bool encoded = text_of(root, "EncodingType") == "url";
  for (const pugi::xml_node& node : root.children()) {
    if (local_name(node) != "Upload") continue;
    auto key = key_in(node, "Key", encoded);
    if (!key) return fail(std::move(key.error()));
    auto id = upload_id_in(node);
    if (!id) return fail(std::move(id.error()));
    out.uploads.push_back({std::move(*key), std::move(*id)});
  }
  const auto truncated = is_truncated(root);
  if (!truncated) return fail(truncated.error());
  if (!*truncated) return out;
  auto next = key_in(root, "NextKeyMarker", encoded);
  if (!next) return fail(ErrorCode::kStorageProtocol, "the list is cut short without a usable NextKeyMarker");
  out.next_key = std::move(*next);
  out.next_id = text_of(root, "NextUploadIdMarker");
  return out;
}

std::string complete_request_body(std::span<const CompletedPart> parts, std::string_view element) {
  std::string out = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
  out.reserve(out.size() + parts.size() * 140);
  size_t number = 0;
  for (const CompletedPart& part : parts) {
    fmt::format_to(std::back_inserter(out), "<Part><PartNumber>{}</PartNumber><ETag>", ++number);
    append_escaped(out, part.etag);
    out += "</ETag>";
    if (!part.checksum.empty()) fmt::format_to(std::back_inserter(out), "<{0}>{1}</{0}>", element, part.checksum);
    out += "</Part>";
  }
  out += "</CompleteMultipartUpload>";
  return out;
}

}  // namespace mlps::s3
