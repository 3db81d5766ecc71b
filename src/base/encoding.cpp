#include "base/encoding.hpp"

#include <time.h>

#include <algorithm>
#include <charconv>

#include "base/text.hpp"

namespace mlps {
namespace {

constexpr char kHexUpper[] = "0123456789ABCDEF";
constexpr char kHexLower[] = "0123456789abcdef";
constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool unreserved(unsigned char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

void append_encoded(std::string& out, std::string_view text, bool keep_slash) {
  for (const char raw : text) {
    const auto c = static_cast<unsigned char>(raw);
    if (unreserved(c) || (keep_slash && c == '/')) {
      out.push_back(raw);
    } else {
      out.push_back('%');
      out.push_back(kHexUpper[c >> 4]);
      out.push_back(kHexUpper[c & 15]);
    }
  }
}

/// Returns the byte that two hex digits at `text[at]` spell; nothing if there are none.
std::optional<char> byte_at(std::string_view text, size_t at) {
  unsigned char value = 0;
  if (at + 2 > text.size()) return std::nullopt;
  const char* const end = text.data() + at + 2;
  const auto result = std::from_chars(text.data() + at, end, value, 16);
  if (result.ec != std::errc{} || result.ptr != end) return std::nullopt;
  return static_cast<char>(value);
}

}  // namespace

void append_encoded_path(std::string& out, std::string_view text) {
  append_encoded(out, text, true);
}

void append_encoded_query(std::string& out, std::string_view text) {
  append_encoded(out, text, false);
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out.push_back(' ');
    } else if (text[i] != '%') {
      out.push_back(text[i]);
    } else {
      const auto byte = byte_at(text, i + 1);
      if (!byte) return std::nullopt;
      out.push_back(*byte);
      i += 2;
    }
  }
  return out;
}

std::string hex(std::span<const std::byte> bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const std::byte b : bytes) {
    out.push_back(kHexLower[std::to_integer<unsigned>(b) >> 4]);
    out.push_back(kHexLower[std::to_integer<unsigned>(b) & 15]);
  }
  return out;
}

std::optional<std::string> from_hex(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); i += 2) {
    const auto byte = byte_at(text, i);
    if (!byte) return std::nullopt;
    out.push_back(*byte);
  }
  return out;
}

std::string base64(std::span<const std::byte> bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t count = std::min<size_t>(3, bytes.size() - i);
    uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k) group = group << 8 | (k < count ? std::to_integer<uint32_t>(bytes[i + k]) : 0);
    for (size_t k = 0; k < 4; ++k) out.push_back(k <= count ? kBase64[group >> (18 - 6 * k) & 63] : '=');
  }
  return out;
}

std::optional<std::string> base64_decoded(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::string out;
  out.reserve(text.size() / 4 * 3);
  for (size_t i = 0; i < text.size(); i += 4) {
    const std::string_view group = text.substr(i, 4);
    const size_t digits = std::min(group.find('='), group.size());
    const bool last = i + 4 == text.size();
    if (digits < 2 || (digits < 4 && (!last || group.substr(digits) != std::string_view("==").substr(digits - 2)))) {
      return std::nullopt;
    }
    uint32_t bits = 0;
    for (size_t k = 0; k < 4; ++k) {
      const size_t value = k < digits ? kBase64.find(group[k]) : 0;
      if (value == std::string_view::npos) return std::nullopt;
      bits = bits << 6 | static_cast<uint32_t>(value);
    }
    for (size_t k = 1; k < digits; ++k) out.push_back(static_cast<char>(bits >> (24 - 8 * k) & 0xff));
  }
  return out;
}

std::optional<int64_t> parse_http_date(std::string_view text) {
  tm utc = {};
  const std::string copy(text.substr(0, 64));
  const char* end = strptime(copy.c_str(), "%a, %d %b %Y %H:%M:%S", &utc);
  if (end == nullptr || trimmed(end) != "GMT") return std::nullopt;
  return timegm(&utc);
}

namespace {

std::optional<int64_t> number_at(std::string_view text, size_t at, size_t digits) {
  if (at + digits > text.size()) return std::nullopt;
  const std::string_view part = text.substr(at, digits);
  if (part.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  return parse_number<int64_t>(part);
}

/// Returns the seconds that an offset like "+02:00" is ahead of UTC; "Z" is 0.
std::optional<int64_t> offset_of(std::string_view text) {
  if (text == "Z" || text == "z") return 0;
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return std::nullopt;
  const auto hours = number_at(text, 1, 2), minutes = number_at(text, 4, 2);
  if (!hours || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  return (text[0] == '-' ? -1 : 1) * (*hours * 3600 + *minutes * 60);
}

}  // namespace

std::optional<int64_t> parse_iso_time(std::string_view text) {
  constexpr std::string_view kShape = "dddd-dd-ddTdd:dd:dd";
  if (text.size() <= kShape.size()) return std::nullopt;
  for (size_t i = 0; i < kShape.size(); ++i) {
    if (kShape[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != kShape[i]) return std::nullopt;
  }
  std::string_view rest = text.substr(kShape.size());
  if (rest.front() == '.') rest.remove_prefix(std::min(rest.find_first_not_of("0123456789", 1), rest.size()));
  const auto offset = offset_of(rest);
  tm utc = {};
  utc.tm_year = static_cast<int>(*number_at(text, 0, 4)) - 1900;
  utc.tm_mon = static_cast<int>(*number_at(text, 5, 2)) - 1;
  utc.tm_mday = static_cast<int>(*number_at(text, 8, 2));
  utc.tm_hour = static_cast<int>(*number_at(text, 11, 2));
  utc.tm_min = static_cast<int>(*number_at(text, 14, 2));
  utc.tm_sec = static_cast<int>(*number_at(text, 17, 2));
  const bool good = utc.tm_mon >= 0 && utc.tm_mon < 12 && utc.tm_mday >= 1 && utc.tm_mday <= 31 && utc.tm_hour < 24 &&
                    utc.tm_min < 60 && utc.tm_sec <= 60;
  if (!good || !offset) return std::nullopt;
  return timegm(&utc) - *offset;
}

std::string printable(std::string_view text, size_t limit) {
  std::string out(text.substr(0, limit));
  std::replace_if(
      out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  if (text.size() > limit) out += "...";
  return out;
}

}  // namespace mlps
