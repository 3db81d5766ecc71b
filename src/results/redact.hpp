#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"

/// The last line of defence of the rule that no secret reaches a file: whatever is written goes through here.
namespace mlps::results {

inline constexpr const char* kMasked = "***";

/// A name that announces a credential: "aws_secret_access_key", "--session-token", "password", ...
bool names_secret(std::string_view name);

/// `text` with "name=value" masked where the name announces a credential, and user information of URLs masked.
std::string without_secrets(std::string_view text);

/// `value`, or the mask if `name` announces a credential.
std::string masked_value(std::string_view name, std::string_view value);

/// A command line; the word after an option such as "--secret-key" is masked too.
std::vector<std::string> without_secrets(const std::vector<std::string>& argv);

/// Masks in place, by key and by text, at every depth.
void mask_secrets(Json& value);

}  // namespace mlps::results
