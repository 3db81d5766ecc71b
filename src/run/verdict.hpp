#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace mlps::run {

enum class Verdict { kIncomplete, kPassed, kFailed, kInterrupted };
std::string_view verdict_name(Verdict verdict);  ///< "incomplete", "passed", "failed", "interrupted"

/// Returns an error as one of the reasons: "[E403] host b: write x: full".
std::string as_reason(const Error& error);

/// Puts the first cause at the head of `reasons`.
void add_cause(const std::optional<Error>& error, std::vector<std::string>& reasons);
/// Passed without reasons, interrupted if the first cause says so, else failed; then there is always an error: without
/// a first cause it is E606 naming the first reason.
Verdict judge(const std::vector<std::string>& reasons, std::optional<Error>& error);

}  // namespace mlps::run
