#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"

/// Masks credentials in everything that is written into result files.
namespace mlps::results {

inline constexpr const char* kMasked = "***";

/// Returns whether a name announces a credential: "aws_secret_access_key", "--session-token", "password", ...
bool names_secret(std::string_view name);

/// Returns `text` with "name=value" masked where the name announces a credential, and user information of URLs masked.
std::string without_secrets(std::string_view text);

/// Returns `value`, or the mask if `name` announces a credential.
std::string masked_value(std::string_view name, std::string_view value);

/// Returns a command line without secrets; the word after an option such as "--secret-key" is masked too.
std::vector<std::string> without_secrets(const std::vector<std::string>& argv);

/// Masks credentials in place, by key and by text, at every depth.
void mask_secrets(Json& value);

}  // namespace mlps::results
