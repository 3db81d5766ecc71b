#include "cli/replay_command.hpp"

#include <fmt/format.h>

#include <atomic>
#include <mutex>

#include "base/numbers.hpp"
#include "base/output.hpp"
#include "base/threads.hpp"
#include "base/units.hpp"
#include "cli/object_place.hpp"
#include "cli/utilities.hpp"
#include "replay/plan.hpp"
#include "replay/player.hpp"
#include "replay/report.hpp"
#include "session/interrupt.hpp"

namespace mlps::cli {
namespace {

constexpr size_t kLookers = 16;
constexpr uint64_t kPreparedPart = 8 * kMiB;

struct ReplayOptions {
  std::string to;
  std::string strip;
  std::string op_log;
  replay::PlayOptions play;
  std::optional<uint64_t> concurrency;
  bool prepare = false;
  bool json = false;
};

ReplayOptions read_options(const CommandSyntax& command, const Settings& settings, std::vector<Error>& errors) {
  Reader reader(settings, command, errors);
  ReplayOptions options;
  options.to = reader.text("to");
  options.strip = reader.text("strip");
  options.op_log = reader.text("op-log");
  options.concurrency = reader.optional_integer("concurrency");
  options.prepare = reader.on("prepare");
  options.json = reader.on("json");
  options.play.at_recorded_times = !reader.on("as-fast-as-possible");
  options.play.speed = reader.real("speed");
  if (!options.play.at_recorded_times && reader.given("speed")) {
    errors.push_back({ErrorCode::kConfigIncompatible, "--speed and --as-fast-as-possible exclude each other",
                      "without recorded times there is nothing to play faster", "give one of them"});
  }
  reader.report_missing();
  return options;
}

Result<replay::Plan> read_plan(const std::vector<std::string>& files, const std::string& strip) {
  replay::Planner planner(strip);
  replay::LogLine line;
  for (const std::string& file : files) {
    auto reader = replay::LogReader::open(file);
    if (!reader) return fail(std::move(reader.error()));
    for (;;) {
      const auto there = reader->next(line);
      if (!there) return fail(there.error());
      if (!*there) break;
      if (Status added = planner.add(line); !added) return fail(std::move(added.error()));
    }
    if (reader->is_cut()) print_error(fmt::format("warning: {} ends in the middle; what is there is played\n", file));
  }
  return planner.plan();
}

/// What a look at the objects that are read has found.
struct Looked {
  std::vector<uint32_t> missing;  ///< indices of Plan::states
  std::optional<Error> error;
};

/// Looks for every object that is read before anything writes it, and takes over its size.
Result<Looked> look(replay::Plan& plan, storage::Store& store) {
  std::vector<uint32_t> wanted;
  for (uint32_t i = 0; i < plan.states.size(); ++i) {
    const replay::ObjectState& state = plan.states[i];
    if (state.kind == replay::ObjectState::Kind::kThere && state.readers > 0) wanted.push_back(i);
  }
  Looked looked;
  if (wanted.empty() || !store.traits().holds_objects) return looked;
  std::mutex mutex;
  std::atomic<size_t> next = 0;
  const auto share = [&](size_t) {
    auto session = store.open_session(1);
    for (size_t i = next++; i < wanted.size(); i = next++) {
      replay::ObjectState& state = plan.states[wanted[i]];
      const std::string& name = plan.names[state.name];
      const auto info = session ? (*session)->head(name) : Result<storage::ObjectInfo>(fail(session.error()));
      const std::lock_guard lock(mutex);
      if (looked.error) return;
      const bool absent =
          !info && (info.error().code == ErrorCode::kStorageNotFound || info.error().code == ErrorCode::kPathNotFound);
      if (absent) {
        looked.missing.push_back(wanted[i]);
      } else if (!info) {
        looked.error = info.error();
      } else if (info->size_bytes < state.size_bytes) {
        looked.error = Error{ErrorCode::kDataMismatch,
                             fmt::format("{} has {} bytes, but {} of it are read", store.root().join(name).to_string(),
                                         grouped(info->size_bytes), grouped(state.size_bytes)),
                             {},
                             "replay against a location whose objects are as large as the recorded ones"};
      } else {
        state.size_bytes = info->size_bytes;
      }
    }
  };
  const Status ran = run_on_threads(std::min(kLookers, wanted.size()), {.name = "replay threads"}, share);
  if (!ran) return fail(ran.error());
  return looked;
}

Status prepare(replay::Plan& plan, storage::Store& store, const ReplayOptions& options, world::Failure& failure) {
  const auto looked = look(plan, store);
  if (!looked) return fail(looked.error());
  if (looked->error) return fail(*looked->error);
  if (looked->missing.empty()) return {};
  if (!options.prepare) {
    const std::string& first = plan.names[plan.states[looked->missing.front()].name];
    return fail(ErrorCode::kStorageNotFound,
                fmt::format("{} there, {} is one of them",
                            counted(static_cast<double>(looked->missing.size()), "object that is read isn't",
                                    "objects that are read aren't"),
                            store.root().join(first).to_string()),
                {}, "--prepare writes them before; --strip takes a part of the recorded names away");
  }
  const replay::Plan writing = replay::plan_of_writing(plan, looked->missing, kPreparedPart);
  print_error(
      fmt::format("writing {} that will be read\n", counted(static_cast<double>(writing.states.size()), "object")));
  const auto written =
      replay::play(writing, store, {.at_recorded_times = false, .at_once = options.play.at_once}, failure);
  if (!written) return fail(written.error());
  if (failure.raised()) return fail(*failure.first());
  return written->error ? Status(fail(*written->error)) : Status{};
}

Result<replay::PlayResult> play_plan(replay::Plan& plan, storage::Store& store, const ReplayOptions& options) {
  InterruptWatch interrupts;
  world::Failure failure;
  const InterruptWatch::Attachment attachment(interrupts, failure);
  if (Status prepared = prepare(plan, store, options, failure); !prepared) return fail(std::move(prepared.error()));
  auto result = replay::play(plan, store, options.play, failure);
  if (result && failure.raised() && !result->error) result->error = failure.first();
  return result;
}

Result<replay::PlayResult> replay_logs(const std::vector<std::string>& files, ReplayOptions& options,
                                       const Environment& environment, replay::Plan& plan) {
  auto read = read_plan(files, options.strip);
  if (!read) return fail(std::move(read.error()));
  plan = std::move(*read);
  if (!options.json) print(replay::plan_text(plan));
  options.play.at_once = static_cast<uint32_t>(options.concurrency.value_or(plan.at_once));
  Result<replay::PlayResult> result;
  const Status logged = with_op_log(options.op_log, "replay:0", [&](std::shared_ptr<storage::OpLog> log) -> Status {
    auto place = open_place(options.to, environment, {.servers = {.op_log = std::move(log)}});
    if (!place) return fail(std::move(place.error()));
    for (std::string& name : plan.names) name.insert(0, place->prefix());
    place->session.reset();
    result = play_plan(plan, *place->store, options);
    return {};
  });
  if (!logged && result) return fail(logged.error());
  return result;
}

}  // namespace

int replay_command(const CommandSyntax& command, const Environment& environment, const Settings& settings,
                   const std::vector<std::string>& files) {
  std::vector<Error> errors;
  ReplayOptions options = read_options(command, settings, errors);
  if (!errors.empty()) return report(errors);
  replay::Plan plan;
  const auto result = replay_logs(files, options, environment, plan);
  if (!result) return report(result.error());
  print(options.json ? replay::result_json(plan, options.play, *result).dump(2) + "\n"
                     : replay::result_text(plan, options.play, *result));
  return result->error ? report(*result->error) : kExitSuccess;
}

}  // namespace mlps::cli
