#include "storage/gcs/batch.hpp"

#include <fmt/format.h>

#include <optional>

#include "base/encoding.hpp"
#include "base/text.hpp"

namespace mlps::gcs {
namespace {

constexpr std::string_view kBoundary = "mlpstorage-batch";

/// Returns the value of the parameter "boundary" of a Content-Type; empty if there is none.
std::string boundary_of(std::string_view content_type) {
  if (!lower(content_type).starts_with("multipart/")) return {};
  for (const std::string& piece : split(content_type, ";")) {
    std::string_view parameter = trimmed(piece);
    if (!lower(parameter).starts_with("boundary=")) continue;
    parameter.remove_prefix(9);
    if (parameter.size() >= 2 && parameter.front() == '"' && parameter.back() == '"') {
      parameter = parameter.substr(1, parameter.size() - 2);
    }
    return std::string(parameter.substr(0, 70));  // RFC 2046 allows no more
  }
  return {};
}

/// Takes the first line off `text`; lines end with CR LF or LF.
std::string_view take_line(std::string_view& text) {
  const auto end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

void skip_headers(std::string_view& text) {
  while (!text.empty() && !take_line(text).empty()) {
  }
}

/// Reads the HTTP answer inside a MIME part, which follows the part's own headers.
std::optional<BatchAnswer> answer_in(std::string_view part) {
  skip_headers(part);
  const std::string_view line = take_line(part);
  const bool framed = line.size() >= 12 && line.starts_with("HTTP/1.") && line[8] == ' ';
  const auto status = framed ? parse_number<unsigned>(line.substr(9, 3)) : std::nullopt;
  if (!status || *status < 100 || *status > 599) return std::nullopt;
  skip_headers(part);
  return BatchAnswer{static_cast<int>(*status), std::string(trimmed(part))};
}

}  // namespace

std::string deletion_batch(std::span<const std::string> paths) {
  std::string out;
  size_t number = 0;
  for (const std::string& path : paths) {
    out += fmt::format("--{}\r\nContent-Type: application/http\r\nContent-ID: <{}>\r\n\r\n", kBoundary, ++number);
    out += fmt::format("DELETE {} HTTP/1.1\r\n\r\n\r\n", path);
  }
  return out + fmt::format("--{}--\r\n", kBoundary);
}

Result<std::vector<BatchAnswer>> parse_batch_answer(std::string_view content_type, std::string_view body,
                                                    size_t wanted) {
  const auto unusable = [](std::string why) { return fail(ErrorCode::kStorageProtocol, std::move(why)); };
  const std::string boundary = boundary_of(content_type);
  if (boundary.empty()) {
    return unusable(fmt::format("the answer to a batch is of type \"{}\"", printable(content_type, 80)));
  }
  const std::string delimiter = "--" + boundary;
  std::vector<BatchAnswer> out;
  size_t at = body.find(delimiter);
  while (at != std::string_view::npos && out.size() <= wanted) {
    const size_t begin = at + delimiter.size();
    if (body.substr(begin, 2) == "--") break;
    at = body.find("\n" + delimiter, begin);
    std::string_view part = body.substr(begin, at == std::string_view::npos ? at : at - begin);
    take_line(part);  // what is left of the delimiter's line
    auto answer = answer_in(part);
    if (!answer) return unusable("the answer to a batch holds a part that is no HTTP answer");
    out.push_back(std::move(*answer));
    if (at != std::string_view::npos) ++at;  // the delimiter begins after the line end
  }
  if (out.size() != wanted) {
    return unusable(fmt::format("the answer to a batch of {} holds {} answers", wanted, out.size()));
  }
  return out;
}

}  // namespace mlps::gcs
