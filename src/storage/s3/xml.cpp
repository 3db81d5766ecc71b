#include "storage/s3/xml.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <iterator>
#include <optional>
#include <pugixml.hpp>

#include "base/encoding.hpp"
#include "base/text.hpp"

namespace mlps::s3 {
namespace {

constexpr size_t kMaxUploadId = 4096;

std::string_view local_name(const pugi::xml_node& node) {
  const std::string_view name = node.name();
  const auto colon = name.rfind(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

pugi::xml_node child(const pugi::xml_node& parent, std::string_view name) {
  return parent.find_child([name](const pugi::xml_node& node) { return local_name(node) == name; });
}

std::string_view text_of(const pugi::xml_node& parent, std::string_view name) {
  return child(parent, name).text().get();
}

// One of the five named references such as "&lt;", or a reference to a character that XML 1.0 or 1.1 can hold.
bool good_reference(std::string_view inside) {
  if (inside == "lt" || inside == "gt" || inside == "amp" || inside == "quot" || inside == "apos") return true;
  if (inside.size() < 2 || inside.front() != '#') return false;
  const int base = inside[1] == 'x' ? 16 : 10;
  const std::string_view digits = inside.substr(base == 16 ? 2 : 1);
  uint32_t value = 0;
  const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (fault != std::errc{} || end != digits.data() + digits.size()) return false;
  return value != 0 && value <= 0x10FFFF && (value < 0xD800 || value > 0xDFFF);
}

// pugixml leaves unknown references as they are, which would make a key out of a broken one.
std::optional<std::string> first_fault(std::string_view body) {
  if (body.find('\0') != std::string_view::npos) return "a zero byte";
  if (body.find("<!DOCTYPE") != std::string_view::npos) return "a document type";
  for (auto at = body.find('&'); at != std::string_view::npos; at = body.find('&', at + 1)) {
    const auto end = body.substr(at, 12).find(';');
    if (end == std::string_view::npos || !good_reference(body.substr(at + 1, end - 1))) {
      return fmt::format("the unknown reference \"{}\"", printable(body.substr(at, 12)));
    }
  }
  return std::nullopt;
}

/// A document and its root element.
struct Parsed {
  pugi::xml_document document;
  pugi::xml_node root;
};

Status parse(std::string_view body, Parsed& out) {
  const std::string_view text = trimmed(body);  // blanks may be sent ahead to keep the connection alive
  if (text.empty()) return fail(ErrorCode::kStorageProtocol, "the answer has no body");
  if (const auto fault = first_fault(text)) {
    return fail(ErrorCode::kStorageProtocol, fmt::format("the answer's XML holds {}", *fault));
  }
  const auto result = out.document.load_buffer(text.data(), text.size(), pugi::parse_default, pugi::encoding_utf8);
  out.root = out.document.document_element();
  if (!result || !out.root) {
    return fail(ErrorCode::kStorageProtocol,
                fmt::format("the answer is not XML: {}", result ? "no root element" : result.description()),
                fmt::format("it begins with \"{}\"", printable(text, 120)));
  }
  return {};
}

object::ServerError error_of(const pugi::xml_node& root) {
  object::ServerError out;
  out.code = printable(text_of(root, "Code"), 100);
  out.message = printable(text_of(root, "Message"));
  out.request_id = printable(text_of(root, "RequestId"), 100);
  out.region = printable(text_of(root, "Region"), 100);
  return out;
}

Status check_root(const pugi::xml_node& root, std::string_view wanted) {
  if (local_name(root) == wanted) return {};
  return fail(ErrorCode::kStorageProtocol,
              fmt::format("the answer is <{}> instead of <{}>", printable(local_name(root), 60), wanted));
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
    const pugi::xml_node keys = child(node, "Credentials");
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

std::string complete_request_body(std::span<const CompletedPart> parts) {
  std::string out = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
  out.reserve(out.size() + parts.size() * 140);
  size_t number = 0;
  for (const CompletedPart& part : parts) {
    fmt::format_to(std::back_inserter(out), "<Part><PartNumber>{}</PartNumber><ETag>", ++number);
    append_escaped(out, part.etag);
    out += "</ETag>";
    if (!part.checksum_crc32c.empty()) {
      fmt::format_to(std::back_inserter(out), "<ChecksumCRC32C>{}</ChecksumCRC32C>", part.checksum_crc32c);
    }
    out += "</Part>";
  }
  out += "</CompleteMultipartUpload>";
  return out;
}

}  // namespace mlps::s3
