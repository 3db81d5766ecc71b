#pragma once

#include <string>

#include "base/json.hpp"
#include "replay/player.hpp"

namespace mlps::replay {

/// Returns what a plan holds, for people, before it is played.
std::string plan_text(const Plan& plan);
/// Returns what came of it, for people: a table by kind of operation, beside what was recorded.
std::string result_text(const Plan& plan, const PlayOptions& options, const PlayResult& result);
/// Returns the same as JSON. What was not measured is null.
Json result_json(const Plan& plan, const PlayOptions& options, const PlayResult& result);

}  // namespace mlps::replay
