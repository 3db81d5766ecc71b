#include "storage/azure/xml.hpp"

#include <fmt/format.h>

#include "base/encoding.hpp"
#include "base/text.hpp"
#include "storage/object/xml.hpp"

namespace mlps::azure {
namespace {

using object::child;
using object::text_of;

// The detail of a signature that doesn't match repeats the whole text that was signed.
constexpr size_t kMostDetail = 200;

// Returns a blob's name, which is percent-encoded where XML can't hold one of its characters.
Result<std::string> name_of(const pugi::xml_node& blob) {
  const pugi::xml_node element = child(blob, "Name");
  std::string name = element.text().get();
  if (lower(element.attribute("Encoded").value()) == "true") {
    std::string literal;  // a '+' is itself here
    for (const char c : name) literal += c == '+' ? std::string("%2B") : std::string(1, c);
    name = percent_decoded(literal).value_or("");
  }
  if (!name.empty()) return name;
  return fail(ErrorCode::kStorageProtocol,
              fmt::format("the list holds the unusable name \"{}\"", printable(element.text().get())));
}

}  // namespace

object::ServerError parse_error_body(std::string_view body) {
  object::ServerError out;
  pugi::xml_document document;
  if (!object::parse_xml(body, document)) return out;
  const pugi::xml_node root = document.document_element();
  if (object::local_name(root) != "Error") return out;
  out.code = printable(text_of(root, "Code"), 100);
  const std::string_view message = text_of(root, "Message");
  out.message = printable(trimmed(message.substr(0, message.find("\nRequestId:"))));
  const std::string_view detail = text_of(root, "AuthenticationErrorDetail");
  if (!detail.empty()) out.message += fmt::format(" ({})", printable(trimmed(detail), kMostDetail));
  return out;
}

Result<object::ObjectsPage> parse_blob_list(std::string_view body, bool unfinished) {
  pugi::xml_document document;
  if (auto status = object::parse_xml(body, document); !status) return fail(status.error());
  const pugi::xml_node root = document.document_element();
  if (auto status = object::check_root(root, "EnumerationResults"); !status) return fail(status.error());
  const pugi::xml_node blobs = child(root, "Blobs");
  if (!blobs) return fail(ErrorCode::kStorageProtocol, "the list has no <Blobs>");
  object::ObjectsPage page;
  for (const pugi::xml_node& node : blobs.children()) {
    if (object::local_name(node) != "Blob") continue;
    const pugi::xml_node properties = child(node, "Properties");
    if (text_of(properties, "ResourceType") == "directory") continue;
    auto name = name_of(node);
    if (!name) return fail(std::move(name.error()));
    const auto size = parse_number<uint64_t>(trimmed(text_of(properties, "Content-Length")));
    if (!size) {
      return fail(ErrorCode::kStorageProtocol, fmt::format("the list has no size for \"{}\"", printable(*name)));
    }
    const bool has_content = *size > 0 || !text_of(properties, "Content-MD5").empty();
    if (!unfinished || !has_content) page.objects.push_back({std::move(*name), *size});
  }
  page.next = text_of(root, "NextMarker");
  return page;
}

std::string block_list_body(std::span<const object::StoredPart> parts) {
  std::string out = "<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>";
  out.reserve(out.size() + parts.size() * 64);
  for (const object::StoredPart& part : parts) out.append("<Latest>").append(part.tag).append("</Latest>");
  return out + "</BlockList>";
}

}  // namespace mlps::azure
