#include "storage/gcs/answers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/encoding.hpp"
#include "base/text.hpp"
#include "storage/object/crc32c.hpp"
#include "storage/object/server_words.hpp"

namespace mlps::gcs {
namespace {

using nlohmann::json;

constexpr int64_t kMaxTokenSeconds = 24 * 3600;
constexpr size_t kMaxTokenBytes = size_t{16} << 10;

tl::unexpected<Error> unusable(std::string why) {
  return fail(ErrorCode::kStorageProtocol, std::move(why));
}

/// Returns the object that `body` is; E605 for any other text.
Result<json> parse_body(std::string_view body) {
  json parsed = json::parse(body, nullptr, false);
  if (parsed.is_object()) return parsed;
  if (trimmed(body).empty()) return unusable("the answer has no body");
  return fail(ErrorCode::kStorageProtocol, "the answer is no JSON object",
              fmt::format("it begins with \"{}\"", printable(trimmed(body), 120)));
}

/// Returns the text of a member; empty when it is absent or something else.
std::string text_in(const json& object, const char* name) {
  const auto at = object.find(name);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

/// Returns a whole number that a member holds, as the JSON API writes 64-bit numbers (in quotes) or as a number.
std::optional<uint64_t> number_in(const json& object, const char* name) {
  const auto at = object.find(name);
  if (at == object.end()) return std::nullopt;
  if (at->is_number_unsigned()) return at->get<uint64_t>();
  return at->is_string() ? parse_number<uint64_t>(at->get_ref<const std::string&>()) : std::nullopt;
}

Result<StoredObject> object_in(const json& entry) {
  StoredObject out;
  if (!entry.is_object()) return unusable("the answer describes no object");
  out.name = text_in(entry, "name");
  if (out.name.empty()) return unusable("the answer has an object without a name");
  const auto size = number_in(entry, "size");
  if (!size) return unusable(fmt::format("the answer has no size for \"{}\"", printable(out.name)));
  out.size_bytes = *size;
  out.crc32c = object::crc32c_of(text_in(entry, "crc32c"));
  if (const auto generation = number_in(entry, "generation")) out.generation = std::to_string(*generation);
  return out;
}

/// Returns the first reason in a list of errors as the JSON API has it.
std::string first_reason(const json& error) {
  const auto list = error.find("errors");
  if (list == error.end() || !list->is_array()) return {};
  for (const json& entry : *list) {
    if (!entry.is_object()) continue;
    if (std::string reason = text_in(entry, "reason"); !reason.empty()) return reason;
  }
  return {};
}

}  // namespace

ServerError parse_error_body(std::string_view body) {
  const json parsed = json::parse(body, nullptr, false);
  if (!parsed.is_object()) return {"", object::words_of_body(body)};
  const auto error = parsed.find("error");
  if (error == parsed.end()) return {"", object::words_of_body(body)};
  if (error->is_object()) {
    return {printable(first_reason(*error), 100), printable(text_in(*error, "message"))};
  }
  return {printable(text_in(parsed, "error"), 100), printable(text_in(parsed, "error_description"))};
}

Result<StoredObject> parse_object(std::string_view body) {
  const auto parsed = parse_body(body);
  return parsed ? object_in(*parsed) : Result<StoredObject>(fail(parsed.error()));
}

Result<ListAnswer> parse_list(std::string_view body) {
  const auto parsed = parse_body(body);
  if (!parsed) return fail(parsed.error());
  ListAnswer out;
  const auto items = parsed->find("items");
  if (items != parsed->end()) {
    if (!items->is_array()) return unusable("the list's items are no list");
    out.objects.reserve(items->size());
    for (const json& entry : *items) {
      auto object = object_in(entry);
      if (!object) return fail(std::move(object.error()));
      out.objects.push_back(std::move(*object));
    }
  } else if (text_in(*parsed, "kind") != "storage#objects" && !parsed->empty()) {
    return unusable("the answer is no list of objects");
  }
  const auto token = parsed->find("nextPageToken");
  if (token == parsed->end()) return out;
  out.next_token = text_in(*parsed, "nextPageToken");
  if (out.next_token.empty()) return unusable("the list is cut short without a usable nextPageToken");
  return out;
}

Result<IssuedToken> parse_token(std::string_view body) {
  const auto parsed = parse_body(body);
  if (!parsed) return fail(parsed.error());
  IssuedToken out{.value = text_in(*parsed, "access_token")};
  // What ends a header line would let the answer write headers of its own.
  const auto fits = [](char c) { return c > 0x20 && c < 0x7f; };
  if (out.value.empty() || out.value.size() > kMaxTokenBytes ||
      !std::all_of(out.value.begin(), out.value.end(), fits)) {
    return unusable("the answer holds no usable access_token");
  }
  const std::string type = text_in(*parsed, "token_type");
  if (!type.empty() && lower(type) != "bearer") {
    return unusable(fmt::format("the token is of type \"{}\" instead of Bearer", printable(type, 40)));
  }
  const auto seconds = number_in(*parsed, "expires_in");
  if (!seconds) return unusable("the answer doesn't say when the token expires (expires_in)");
  out.lifetime = std::chrono::seconds(std::min<uint64_t>(*seconds, kMaxTokenSeconds));
  return out;
}

}  // namespace mlps::gcs
