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

/// Inserts the first cause at the front of `reasons`.
void add_cause(const std::optional<Error>& error, std::vector<std::string>& reasons);
/// Returns kPassed without reasons, kInterrupted if the first cause is an interrupt, else kFailed. Sets `error` to E606
/// with the first reason if there are reasons but no first cause.
Verdict judge(const std::vector<std::string>& reasons, std::optional<Error>& error);

}  // namespace mlps::run
