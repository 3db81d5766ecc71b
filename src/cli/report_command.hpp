#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "flags/grammar.hpp"
#include "flags/options.hpp"
#include "flags/tokenizer.hpp"

namespace mlps::cli {

/// Carries out `report`, whose words and flags were read. Returns the process status.
int report_command(const CommandSyntax& command, const Settings& settings, const std::vector<std::string>& words);

/// Fails with E102 if something is there that is no page: whatever it is, it was not meant to go.
Status check_page_output(const std::string& file);

/// Has every run of this command leave a report in its folder, after all other files, if there are reports on it. That
/// this fails is a warning.
void leave_reports(const BenchmarkOptions& options);

}  // namespace mlps::cli
