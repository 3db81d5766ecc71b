#include "cli/try/try_command.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cmath>
#include <filesystem>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/output.hpp"
#include "base/text.hpp"
#include "base/version.hpp"
#include "cli/results_dir.hpp"
#include "cli/try/session.hpp"
#include "cli/utilities.hpp"
#include "flags/layers.hpp"
#include "flags/values.hpp"
#include "reports/page/page.hpp"
#include "results/run_folder.hpp"

namespace mlps::cli {
namespace {

constexpr const char* kLogName = "commands.log";
/// Makes `<results>/try/<time>`, which is not there yet, and the results directory where that is not.
Result<std::string> make_folder(const std::string& results_dir) {
  if (Status ready = make_results_dir(results_dir, kNoOrganisation); !ready) return fail(ready.error());
  const std::string folder = fmt::format("{}/try/{}", results_dir, run_stamp(Stamp::now().wall_us));
  for (unsigned number = 1;; ++number) {
    const std::string path = number == 1 ? folder : fmt::format("{}-{}", folder, number);
    std::error_code error;
    std::filesystem::create_directories(results_dir + "/try", error);
    const bool made = !error && std::filesystem::create_directory(path, error);
    if (error) return fail(errno_error(error.value(), "create " + path));
    if (made) return path;
  }
}

Result<TrySettings> settings_of(Reader& reader, std::vector<Error>& errors) {
  TrySettings settings;
  if (auto seconds = parse_try_time(reader.text("time"))) {
    settings.seconds = *seconds;
  } else {
    errors.push_back(seconds.error());
  }
  auto all = try_accelerators();
  if (!all) return fail(all.error());
  settings.accelerator = reader.choice("accelerator-type");
  settings.accelerators = std::move(*all);
  settings.results_dir = std::filesystem::absolute(reader.text("results-dir")).lexically_normal().string();
  settings.system = system_name_of_host();
  settings.fault = reader.text("inject-fault");
  return settings;
}

/// Runs all parts; after a signal the rest is left out. The probe's error is that of all.
Status run_parts(TrySession& session, TryOutcome& outcome, TryRunner& runner) {
  if (Status probed = session.probe(); !probed) return probed;
  for (const auto part : {&TrySession::train, &TrySession::search, &TrySession::offload, &TrySession::checkpoint}) {
    outcome.parts.push_back((session.*part)());
    if (Status going = runner.check_stop(); !going) return going;
  }
  std::swap(outcome.parts[1], outcome.parts[3]);  // told in the order in which people ask
  return {};
}

Status write_results(const TryOutcome& outcome) {
  std::vector<reports::page::RunView> runs;
  for (const TryPart& part : outcome.parts) runs.insert(runs.end(), part.runs.begin(), part.runs.end());
  Status written = results::write_file(outcome.folder + "/try.json", try_json(outcome).dump(2) + "\n");
  if (written) written = results::write_file(outcome.folder + "/report.txt", try_text(outcome));
  if (written && !runs.empty()) {
    written = results::write_file(fmt::format("{}/{}", outcome.folder, reports::page::kReportFile),
                                  reports::page::page_of(runs));
  }
  return written;
}

std::vector<Error> errors_of_parts(const TryOutcome& outcome) {
  std::vector<Error> errors;
  for (const TryPart& part : outcome.parts) {
    if (!part.error) continue;
    errors.push_back(*part.error);
    errors.back().message = fmt::format("{}: {}", part.name, errors.back().message);
  }
  return errors;
}

int carry_out_try(const TrySettings& settings, const std::string& where, const Environment& environment, bool json) {
  if (binary_path().empty()) {
    return report(Error{ErrorCode::kConfigIncompatible,
                        "try runs this program anew for each part, and /proc/self/exe doesn't tell where it is",
                        {},
                        "mount /proc: mount -t proc proc /proc"});
  }
  // What is refused leaves no folder of results either.
  if (Status free = make_results_dir(settings.results_dir, kNoOrganisation, true); !free) return report(free.error());
  const auto place = open_try_place(where, environment);
  if (!place) return report(place.error());
  const auto folder = make_folder(settings.results_dir);
  if (!folder) {
    std::error_code ignored;
    if (place->scratch.is_file_system()) std::filesystem::remove(place->scratch.path(), ignored);
    return report(folder.error());
  }
  TryRunner runner(fmt::format("{}/{}", *folder, kLogName), settings.seconds);
  TryOutcome outcome;
  outcome.place = place->shown;
  outcome.memory = place->memory;
  outcome.null = place->is_null();
  outcome.folder = *folder;
  Status done, removed;
  {
    TrySession session(settings, *place, runner);
    print_error(fmt::format("{}: about {:.0f} s; nothing stays there\n", place->shown, settings.seconds));
    done = run_parts(session, outcome, runner);
    removed = session.remove_all();
  }
  outcome.seconds = runner.elapsed_s();
  log::progress("");
  std::vector<Error> errors = errors_of_parts(outcome);
  if (!done) errors.insert(errors.begin(), done.error());
  if (!removed) errors.push_back(removed.error());
  if (done) {
    if (Status written = write_results(outcome); !written) errors.push_back(written.error());
    print(json ? try_json(outcome).dump(2) + "\n" : try_text(outcome));
  }
  if (errors.empty()) return kExitSuccess;
  const int status = report(errors);
  print_error(fmt::format("What the commands said is in {}/{}\n", *folder, kLogName));
  return status;
}

}  // namespace

int try_command(const CommandSyntax& command, const Environment& environment, const Settings& settings,
                const std::vector<std::string>& words) {
  std::vector<Error> errors;
  Reader reader(settings, command, errors);
  const bool json = reader.on("json");
  const auto wanted = settings_of(reader, errors);
  if (!wanted) errors.push_back(wanted.error());
  if (!errors.empty()) return report(errors);
  return carry_out_try(*wanted, words.front(), environment, json);
}

}  // namespace mlps::cli
