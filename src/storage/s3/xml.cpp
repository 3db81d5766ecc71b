#include "storage/s3/xml.hpp"

#include <fmt/format.h>

#include <iterator>
#include <optional>
#include <pugixml.hpp>

#include "base/text.hpp"
#include "storage/s3/encoding.hpp"

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
  const bool hexadecimal = inside[1] == 'x';
  const std::string_view digits = inside.substr(hexadecimal ? 2 : 1);
  if (digits.empty() || digits.size() > 7) return false;
  uint32_t value = 0;
  for (const char c : digits) {
    const bool decimal = c >= '0' && c <= '9';
    const char folded = static_cast<char>(c | 0x20);
    if (!decimal && !(hexadecimal && folded >= 'a' && folded <= 'f')) return false;
    value = value * (hexadecimal ? 16 : 10) + static_cast<uint32_t>(decimal ? c - '0' : folded - 'a' + 10);
  }
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

ServerError error_of(const pugi::xml_node& root) {
  ServerError out;
  out.code = printable(text_of(root, "Code"), 100);
  out.message = printable(text_of(root, "Message"));
  out.request_id = printable(text_of(root, "RequestId"), 100);
  out.region = printable(text_of(root, "Region"), 100);
  return out;
}

Status wrong_root(const pugi::xml_node& root, std::string_view wanted) {
  return fail(ErrorCode::kStorageProtocol,
              fmt::format("the answer is <{}> instead of <{}>", printable(local_name(root), 60), wanted));
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
  std::string id(text_of(node, "UploadId"));
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

Result<ListedObject> listed_object(const pugi::xml_node& node, bool encoded) {
  ListedObject out;
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
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out.push_back(c);
    }
  }
}

}  // namespace

ServerError parse_error_body(std::string_view body) {
  Parsed parsed;
  if (!parse(body, parsed)) return {};
  return local_name(parsed.root) == "Error" ? error_of(parsed.root) : ServerError{};
}

Result<std::string> parse_upload_id(std::string_view body) {
  Parsed parsed;
  if (auto status = parse(body, parsed); !status) return fail(std::move(status.error()));
  if (local_name(parsed.root) != "InitiateMultipartUploadResult") {
    return fail(wrong_root(parsed.root, "InitiateMultipartUploadResult").error());
  }
  return upload_id_in(parsed.root);
}

Result<CompleteAnswer> parse_complete_answer(std::string_view body) {
  Parsed parsed;
  if (auto status = parse(body, parsed); !status) return fail(std::move(status.error()));
  CompleteAnswer out;
  if (local_name(parsed.root) == "Error") {
    out.is_error = true;
    out.error = error_of(parsed.root);
  } else if (local_name(parsed.root) == "CompleteMultipartUploadResult") {
    out.etag = printable(text_of(parsed.root, "ETag"));
  } else {
    return fail(wrong_root(parsed.root, "CompleteMultipartUploadResult").error());
  }
  return out;
}

Result<ListAnswer> parse_list_answer(std::string_view body) {
  Parsed parsed;
  if (auto status = parse(body, parsed); !status) return fail(std::move(status.error()));
  const pugi::xml_node& root = parsed.root;
  if (local_name(root) != "ListBucketResult") return fail(wrong_root(root, "ListBucketResult").error());
  ListAnswer out;
  const bool encoded = text_of(root, "EncodingType") == "url";
  for (const pugi::xml_node& node : root.children()) {
    if (local_name(node) != "Contents") continue;
    auto object = listed_object(node, encoded);
    if (!object) return fail(std::move(object.error()));
    out.objects.push_back(std::move(*object));
  }
  const auto truncated = is_truncated(root);
  if (!truncated) return fail(truncated.error());
  if (*truncated) {
    out.next_token = text_of(root, "NextContinuationToken");
    if (out.next_token.empty()) {
      return fail(ErrorCode::kStorageProtocol, "the list is cut short without a NextContinuationToken");
    }
  }
  return out;
}

Result<UploadsAnswer> parse_uploads_answer(std::string_view body) {
  Parsed parsed;
  if (auto status = parse(body, parsed); !status) return fail(std::move(status.error()));
  const pugi::xml_node& root = parsed.root;
  if (local_name(root) != "ListMultipartUploadsResult") {
    return fail(wrong_root(root, "ListMultipartUploadsResult").error());
  }
  UploadsAnswer out;
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
  if (*truncated) {
    auto next = key_in(root, "NextKeyMarker", encoded);
    if (!next) return fail(ErrorCode::kStorageProtocol, "the list is cut short without a usable NextKeyMarker");
    out.next_key = std::move(*next);
    out.next_id = text_of(root, "NextUploadIdMarker");
  }
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
