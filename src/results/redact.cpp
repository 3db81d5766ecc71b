#include "results/redact.hpp"

#include <algorithm>
#include <array>

namespace mlps::results {
namespace {

constexpr std::array<std::string_view, 14> kSecretWords = {
    "secret",    "password",   "passwd",     "passphrase", "token",  "credential",    "signature",
    "accesskey", "accountkey", "privatekey", "apikey",     "saskey", "authorization", "connectionstring"};

// Masks "scheme://user:password@host" up to the '@'.
void mask_user_information(std::string& text) {
  constexpr std::string_view kEndOfAuthority = "/?# \t\n\"'";
  for (size_t at = text.find("://"); at != std::string::npos; at = text.find("://", at + 3)) {
    const size_t first = at + 3;
    const size_t end = std::min(text.find_first_of(kEndOfAuthority, first), text.size());
    const size_t sign = text.substr(first, end - first).rfind('@');
    if (sign != std::string::npos) text.replace(first, sign, kMasked);
  }
}

// Masks the values of every name=value in `text`: words of a line, and query parameters of a URL.
void mask_assignments(std::string& text) {
  constexpr std::string_view kBeforeName = " \t\n,;&?'\"{[(";
  constexpr std::string_view kAfterValue = " \t\n,;&'\"}])";
  for (size_t at = text.find('='); at != std::string::npos; at = text.find('=', at + 1)) {
    const size_t before = at == 0 ? std::string::npos : text.find_last_of(kBeforeName, at - 1);
    const size_t first = before == std::string::npos ? 0 : before + 1;
    if (!names_secret(std::string_view(text).substr(first, at - first))) continue;
    const size_t end = std::min(text.find_first_of(kAfterValue, at + 1), text.size());
    if (end > at + 1) text.replace(at + 1, end - at - 1, kMasked);
  }
}

}  // namespace

bool names_secret(std::string_view name) {
  std::string bare;
  for (const char c : name) {
    if (c >= 'A' && c <= 'Z') {
      bare += static_cast<char>(c - 'A' + 'a');
    } else if (c != '_' && c != '-' && c != ' ') {
      bare += c;
    }
  }
  return std::any_of(kSecretWords.begin(), kSecretWords.end(),
                     [&bare](std::string_view word) { return bare.find(word) != std::string::npos; });
}

std::string without_secrets(std::string_view text) {
  std::string safe(text);
  mask_user_information(safe);
  mask_assignments(safe);
  return safe;
}

std::string masked_value(std::string_view name, std::string_view value) {
  return names_secret(name) ? std::string(kMasked) : without_secrets(value);
}

std::vector<std::string> without_secrets(const std::vector<std::string>& argv) {
  std::vector<std::string> safe;
  bool mask_next = false;
  for (const std::string& word : argv) {
    safe.push_back(mask_next ? std::string(kMasked) : without_secrets(std::string_view(word)));
    mask_next = word.starts_with('-') && word.find('=') == std::string::npos && names_secret(word);
  }
  return safe;
}

void mask_secrets(Json& value) {
  if (std::string* text = value.text()) *text = without_secrets(std::string_view(*text));
  if (value.is_array()) {
    for (Json& item : value.items()) mask_secrets(item);
  }
  if (!value.is_object()) return;
  for (auto& [key, member] : value.members()) {
    if (names_secret(key) && !member.is_null() && !member.is_boolean()) {
      member = kMasked;
    } else {
      mask_secrets(member);
    }
  }
}

}  // namespace mlps::results
