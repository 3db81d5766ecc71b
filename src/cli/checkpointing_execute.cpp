#include "cli/checkpointing_execute.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/resource.h>

#include <random>

#include "base/log.hpp"
#include "checkpointing/progress.hpp"
#include "checkpointing/run.hpp"
#include "cli/checkpointing_prepare.hpp"
#include "cli/interrupt.hpp"
#include "cli/version.hpp"
#include "gates/gates.hpp"
#include "results/checkpoint_files.hpp"
#include "results/checkpoint_views.hpp"
#include "world/host_facts.hpp"

namespace mlps::cli {
namespace {

// Plain progress lines, when stderr is no terminal, come this often at most.
constexpr Nanos kPlainProgressNs = 10'000'000'000;

void print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
}

/// Every failure, one after the other; the first one decides the process status.
int report(const std::vector<Error>& errors) {
  for (const Error& error : errors) log::error("{}", render(error));
  return exit_code(errors.front().code);
}

// 1,024 ranks on files hold an open file each; the soft limit is often 1,024.
void raise_open_file_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &limit);  // what is missing shows as EMFILE, with advice
}

uint64_t random_seed() {
  std::random_device device;
  return (uint64_t{device()} << 32) | device();
}

class CheckpointingExecution {
 public:
  CheckpointingExecution(const CheckpointingOptions& options, PreparedCheckpointing prepared, Stamp invocation_start,
                         InterruptWatch& interrupts)
      : options_(options),
        common_(options.common),
        prepared_(std::move(prepared)),
        invocation_start_(invocation_start),
        interrupts_(interrupts) {}

  int print_plan() const {
    const auto& [overrides, workload, plan, store, io, details] = prepared_;
    print(common_.json ? results::plan_json(workload, plan, io, details)
                       : results::plan_table(workload, plan, io, details));
    return kExitSuccess;
  }

  int print_configuration() const {
    if (common_.json) return print_plan();
    std::string text = fmt::format("{:<52}{:<28}{}\n", "key", "value", "source");
    for (const auto& [key, value] : prepared_.workload.values) {
      text += fmt::format("{:<52}{:<28}{}\n", key, value.value, workloads::source_name(value.source));
    }
    print(text + "\n");
    return print_plan();
  }

  int run() {
    if (!common_.json && !common_.quiet) print_plan();
    const gates::Report gates = check_gates();
    for (const std::string& warning : gates.warnings) log::warning("{}", warning);
    if (!gates.failures.empty()) return report(gates.failures);
    for (uint32_t loop = 1; loop <= common_.loops; ++loop) {
      if (common_.loops > 1) log::status("loop {} of {}", loop, common_.loops);
      if (const int status = run_once(gates); status != kExitSuccess) return status;
    }
    return kExitSuccess;
  }

 private:
  gates::Report check_gates() const {
    gates::Request request;
    request.store = prepared_.store.get();
    request.model_folder = prepared_.plan.model;
    request.bytes_to_write = prepared_.plan.bytes_to_write();
    request.results_dir = common_.results_dir;
    request.separation_is_warning = common_.skip_fs_separation_gate;
    request.buffer_bytes = options_.payload == PayloadChoice::kNone ? 0 : prepared_.io->buffer_bytes();
    request.budget_bytes = prepared_.io->budget_bytes;
    return gates::run_gates(request);
  }

  checkpointing::RunRequest run_request() {
    checkpointing::RunRequest request;
    request.plan = prepared_.plan;
    request.io = *prepared_.io;
    request.store = prepared_.store.get();
    request.payload = *prepared_.details.payload;
    request.verify = options_.verify;
    request.seed_is_given = options_.seed.has_value();
    request.seed = options_.seed ? *options_.seed : random_seed();
    request.injected_fault = options_.inject_fault;
    request.invocation_start = invocation_start_;
    if (!common_.quiet) request.on_progress = [this](const checkpointing::Progress& progress) { show(progress); };
    return request;
  }

  void show(const checkpointing::Progress& progress) {
    if (!log::stderr_is_terminal()) {
      const Nanos now = now_ns();
      if (now - last_progress_ns_ < kPlainProgressNs) return;
      last_progress_ns_ = now;
    }
    log::progress(checkpointing::progress_line(progress));
  }

  results::RunContext context(const results::RunFolder& folder, const gates::Report& gates) const {
    results::RunContext context;
    context.tool_version = version_text();
    context.mode = mode_name(common_.mode);
    context.orgname = common_.orgname;
    context.systemname = common_.systemname;
    context.argv = common_.argv;
    context.args_json = options_json(options_);
    context.workload = prepared_.workload;
    context.overrides = prepared_.overrides;
    context.protocol = *options_.protocol == AccessProtocol::kObject ? "object" : "file";
    context.hostname = world::host_name();
    context.run_datetime = folder.run_datetime;
    context.folder = folder.path;
    if (!options_.accelerator_type.empty()) context.accelerator = options_.accelerator_type;
    context.client_host_memory_gib = options_.client_host_memory_gib;
    context.hosts = options_.hosts.hosts;
    if (common_.mode == Mode::kClosed) context.verification = "CLOSED";
    if (common_.mode == Mode::kOpen) context.verification = "OPEN";
    context.separation = gates.separation;
    context.host = world::collect_host_facts();
    return context;
  }

  int run_once(const gates::Report& gates) {
    world::World world(prepared_.plan.processes);
    const InterruptWatch::Attachment attachment(interrupts_, world.failure());
    const auto folder =
        results::claim_run_folder({common_.results_dir, std::string(mode_name(common_.mode)), common_.orgname,
                                   common_.systemname, prepared_.plan.model, Stamp::now().wall_us});
    if (!folder) return report({folder.error()});
    if (auto status = log::open_run_files(folder->path); !status) return report({status.error()});
    log::status("run folder: {}", folder->path);

    const results::RunContext about = context(*folder, gates);
    const checkpointing::RunRequest request = run_request();
    if (auto status = results::write_started(*folder, about, checkpointing::describe_run(request)); !status) {
      return report({status.error()});
    }
    const checkpointing::RunRecord record = checkpointing::run(request, world);
    log::progress("");
    return conclude(*folder, about, record);
  }

  /// Writes and shows what came out; the process status is the record's first error, or success.
  int conclude(const results::RunFolder& folder, const results::RunContext& about,
               const checkpointing::RunRecord& record) {
    if (record.error) log::error("{}", render(*record.error));
    results::RunOutcome outcome;
    outcome.exit_status = record.error ? exit_code(record.error->code) : kExitSuccess;
    outcome.warnings = log::problems();
    outcome.host = world::collect_host_facts();
    outcome.invocation_end = Stamp::now();
    const auto written = results::write_finished(folder, about, record, outcome);
    print(common_.json ? results::record_json(about, record, outcome) : results::result_table(record));
    if (!written) {
      const int status = report({written.error()});
      return outcome.exit_status == kExitSuccess ? status : outcome.exit_status;
    }
    log::status("results: {}", folder.path);
    return outcome.exit_status;
  }

  const CheckpointingOptions& options_;
  const CommonOptions& common_;
  PreparedCheckpointing prepared_;
  const Stamp invocation_start_;
  InterruptWatch& interrupts_;
  Nanos last_progress_ns_ = now_ns();
};

}  // namespace

int execute_checkpointing(const CheckpointingOptions& options, const Environment& environment,
                          const Stamp& invocation_start) {
  signal(SIGPIPE, SIG_IGN);  // a peer that hangs up is an error value, not the end of the process
  raise_open_file_limit();
  InterruptWatch interrupts;
  auto prepared = prepare_checkpointing(options, environment);
  if (!prepared) return report(prepared.error());
  CheckpointingExecution execution(options, std::move(*prepared), invocation_start, interrupts);
  switch (options.command) {
    case CheckpointingCommand::kDatasize:
      return execution.print_plan();
    case CheckpointingCommand::kConfigview:
      return execution.print_configuration();
    case CheckpointingCommand::kRun:
      break;
  }
  return options.common.dry_run ? execution.print_plan() : execution.run();
}

}  // namespace mlps::cli
