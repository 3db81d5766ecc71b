#include <fmt/format.h>
#include <sys/stat.h>

#include <cmath>
#include <fstream>

#include "base/text.hpp"
#include "rules/document.hpp"

namespace mlps::rules {
namespace {

constexpr size_t kPiece = 64 * kKiB;
constexpr size_t kLongestKey = 128;
constexpr size_t kLongestSpelling = 32;  // of a number as a text
constexpr size_t kLongestNumber = 1024;
constexpr char kEnd = '\0';  // no character of JSON

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Returns whether a text has the form of a number of JSON.
bool is_json_number(std::string_view text) {
  size_t at = text.starts_with('-') ? 1 : 0;
  const auto is_at = [&](std::string_view any) { return at < text.size() && any.find(text[at]) != any.npos; };
  const auto skip_digits = [&] {
    const size_t first = at;
    while (at < text.size() && is_digit(text[at])) ++at;
    return at > first;
  };
  const bool has_zero_in_front = is_at("0") && at + 1 < text.size() && is_digit(text[at + 1]);
  if (has_zero_in_front || !skip_digits()) return false;
  if (is_at(".") && (++at, !skip_digits())) return false;
  if (is_at("eE")) {
    ++at;
    if (is_at("+-")) ++at;
    if (!skip_digits()) return false;
  }
  return at == text.size();
}

// Reads JSON from the front to the back, one piece of the file in memory.
class NumberStream {
 public:
  NumberStream(const std::string& path, const NumberSink& sink) : file_(path, std::ios::binary), sink_(sink) {}

  Status read() {
    if (read_value(0) && (skip_space(), at_ < piece_.size())) fail_with("has more after its value");
    if (file_.bad()) fail_with("can't be read to its end");
    if (failure_.empty()) return {};
    return fail(ErrorCode::kConfigParse,
                is_too_deep_ ? failure_ : fmt::format("is no JSON: it {} at byte {}", failure_, byte()));
  }

 private:
  // The next character, which stays; kEnd at the end of the file.
  char peek() { return at_ < piece_.size() || refill() ? piece_[at_] : kEnd; }
  bool refill() {
    before_ += piece_.size();
    piece_.resize(kPiece);
    file_.read(piece_.data(), static_cast<std::streamsize>(kPiece));
    piece_.resize(static_cast<size_t>(file_.gcount()));
    at_ = 0;
    return !piece_.empty();
  }
  char skip_space() {
    char c = peek();
    for (; c == ' ' || c == '\n' || c == '\r' || c == '\t'; c = peek()) ++at_;
    return c;
  }
  uint64_t byte() const { return before_ + at_; }
  bool fail_with(std::string words) {
    if (failure_.empty()) failure_ = std::move(words);
    return false;
  }

  bool read_value(unsigned depth) {
    if (depth > kDeepestDocument) {
      is_too_deep_ = true;
      return fail_with(fmt::format("is nested deeper than {} levels", kDeepestDocument));
    }
    const char c = skip_space();
    if (c == '{') return read_object(depth);
    if (c == '[') return read_list(depth);
    if (c == '"') return read_spelling();
    if (is_digit(c)) return read_number();
    return read_word();
  }

  bool read_object(unsigned depth) {
    ++at_;
    keys_.emplace_back();
    if (skip_space() != '}') {
      do {
        if (skip_space() != '"' || !read_text(keys_.back(), kLongestKey)) return fail_with("lacks a key");
        if (skip_space() != ':') return fail_with("lacks ':'");
        ++at_;
        if (!read_value(depth + 1)) return false;
      } while (is_next());
      if (peek() != '}') return fail_with("lacks ',' or '}'");
    }
    ++at_;
    keys_.pop_back();
    return true;
  }

  bool read_list(unsigned depth) {
    ++at_;
    if (skip_space() != ']') {
      do {
        if (!read_value(depth + 1)) return false;
      } while (is_next());
      if (peek() != ']') return fail_with("lacks ',' or ']'");
    }
    ++at_;
    return true;
  }

  bool is_next() {
    if (skip_space() != ',') return false;
    ++at_;
    return true;
  }

  // Reads a text; of a long one the first `most` characters. Letters beyond ASCII stay as they are, escaped ones become
  // '?': no key that anyone asks for has one.
  bool read_text(std::string& text, size_t most) {
    text.clear();
    ++at_;
    for (char c = peek(); c != '"'; c = peek()) {
      if (static_cast<unsigned char>(c) < ' ') return fail_with("has an unfinished text");
      ++at_;
      if (c == '\\' && !read_escape(c)) return fail_with("has a wrong escape");
      if (text.size() < most) text += c;
    }
    ++at_;
    return true;
  }
  bool read_escape(char& c) {
    static constexpr std::string_view kNames = "\"\\/bfnrt";
    static constexpr std::string_view kMeant = "\"\\/\b\f\n\r\t";
    const char name = peek();
    ++at_;
    if (name != 'u') {
      const size_t place = kNames.find(name);
      c = place < kMeant.size() ? kMeant[place] : c;
      return place < kMeant.size();
    }
    unsigned code = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      const char digit = peek();
      if (std::isxdigit(static_cast<unsigned char>(digit)) == 0) return false;
      code = code * 16 + static_cast<unsigned>(is_digit(digit) ? digit - '0' : (digit | 0x20) - 'a' + 10);
    }
    c = code < 0x80 ? static_cast<char>(code) : '?';
    return true;
  }

  bool read_spelling() {
    if (!read_text(word_, kLongestSpelling)) return false;
    if (const auto value = word_.size() < kLongestSpelling ? parse_number<double>(word_) : std::nullopt) give(*value);
    return true;
  }

  bool read_number() {
    word_.clear();
    return read_digits();
  }
  bool read_digits() {
    for (char c = peek(); is_digit(c) || c == '.' || c == '-' || c == '+' || c == 'e' || c == 'E'; c = peek()) {
      if (word_.size() == kLongestNumber) return fail_with("has a number that doesn't end");
      word_ += c;
      ++at_;
    }
    if (!is_json_number(word_)) return fail_with("has a wrong number");
    // A number beyond the range of double is one that isn't there, as Infinity is.
    if (const auto value = parse_number<double>(word_)) give(*value);
    return true;
  }

  // Python writes NaN and Infinity, which are no numbers here.
  bool read_word() {
    word_.clear();
    if (peek() == '-') {
      word_ = "-";
      ++at_;
      if (is_digit(peek())) return read_digits();
    }
    for (char c = peek(); std::isalpha(static_cast<unsigned char>(c)) != 0 && word_.size() < kLongestKey; c = peek()) {
      word_ += c;
      ++at_;
    }
    for (const char* known : {"true", "false", "null", "NaN", "Infinity", "-Infinity"}) {
      if (word_ == known) return true;
    }
    return fail_with(word_.empty() && peek() == kEnd ? "ends too early" : "has no value");
  }

  void give(double value) {
    if (std::isfinite(value)) sink_(keys_, value);
  }

  std::ifstream file_;
  const NumberSink& sink_;
  std::string piece_, word_, failure_;
  std::vector<std::string> keys_;
  size_t at_ = 0;        // in the piece
  uint64_t before_ = 0;  // bytes of the file before the piece
  bool is_too_deep_ = false;
};

}  // namespace

Status stream_numbers(const std::string& path, const NumberSink& sink) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return fail(errno_error(errno, "read " + path));
  if (!S_ISREG(found.st_mode)) return fail(ErrorCode::kConfigFileNotFound, path + " is not a file");
  return NumberStream(path, sink).read();
}

}  // namespace mlps::rules
