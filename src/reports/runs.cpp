#include "reports/runs.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>

#include "base/clock.hpp"
#include "base/descriptor.hpp"
#include "base/json.hpp"
#include "base/read_file.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "base/write_all.hpp"
#include "rules/rule.hpp"

namespace mlps::reports {
namespace {

namespace fs = std::filesystem;
using rules::joined;
using rules::Leaf;

constexpr const char* kLedger = ".mlps/runs.jsonl";
constexpr const char* kTrash = ".mlps/trash";

// Whether the process that makes a run is one of this host and alive.
bool is_running(const rules::Tree& tree, const Leaf& leaf) {
  rules::Problems ignored;
  const rules::Document record = tree.json(joined(leaf.place.path, "mlpstorage_record.json"), ignored);
  const rules::Node first = record["hosts"].item(0);
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  const auto pid = first["pid"].number();
  if (!pid || *pid < 1 || first["host"].text_or("") != name.data()) return false;
  const auto words = read_file(fmt::format("/proc/{:.0f}/comm", *pid), "name of a process", kKiB);
  return words && trimmed(*words) == "mlpstorage";
}

RunState state_of(const rules::Tree& tree, const Leaf& leaf) {
  if (leaf.has_file("INCOMPLETE")) return is_running(tree, leaf) ? RunState::kRunning : RunState::kIncomplete;
  if (!leaf.metadata.is_there()) return RunState::kIncomplete;
  if (const auto status = leaf.metadata["exit_status"].number()) {
    return *status == 0 ? RunState::kComplete : RunState::kFailed;
  }
  // Metadata of before the status: what a run leaves last tells.
  const bool ends_with_summary = leaf.metadata["command"].text_or(leaf.place.command) == "run";
  return !ends_with_summary || leaf.summary.is_there() ? RunState::kComplete : RunState::kIncomplete;
}

Run run_of(const rules::Tree& tree, const rules::WorkloadPlace& place, const Leaf& leaf) {
  Run run;
  run.leaf = leaf.place.path;
  run.state = state_of(tree, leaf);
  run.verdict = leaf.metadata["verdict"].text_or("");
  run.verification = leaf.metadata["verification"].text_or("");
  run.mode = place.division;
  run.orgname = place.orgname;
  run.system = place.system;
  run.benchmark = place.family;
  run.model = place.model;
  run.command = leaf.metadata["command"].text_or(leaf.place.command);
  run.run_datetime = leaf.metadata["run_datetime"].text_or(leaf.place.name);
  run.code_image = leaf.pointer;
  run.bytes = bytes_below(tree, leaf.place.path);
  return run;
}

// The ledger's file, locked for as long as this lives.
class Ledger {
 public:
  explicit Ledger(const rules::Tree& tree) : path_(tree.absolute(kLedger)) {}

  Status open() {
    std::error_code failed;
    fs::create_directories(fs::path(path_).parent_path(), failed);
    if (failed) return fail(errno_error(failed.value(), "create " + fs::path(path_).parent_path().string()));
    lock_ = Descriptor(::open((path_ + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    if (!lock_.is_open()) return fail(errno_error(errno, "open " + path_ + ".lock"));
    ::flock(lock_.get(), LOCK_EX);  // some network file systems have none, which is no reason to fail
    file_ = Descriptor(::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
    if (!file_.is_open()) return fail(errno_error(errno, "open " + path_));
    return read();
  }

  // Gives runs their numbers, and those that have none new ones.
  Status number(std::vector<Run>& runs) {
    std::string lines;
    const std::string now = iso_local(Stamp::now().wall_us).substr(0, 19);
    for (Run& run : runs) {
      const auto known = known_.find(run.leaf);
      if (known != known_.end()) {
        std::tie(run.id, run.registered_at) = known->second;
        continue;
      }
      run.id = ++last_;
      run.registered_at = now;
      lines += Json({{"at", now}, {"event", "registered"}, {"id", run.id}, {"leaf", run.leaf}}).dump() + "\n";
    }
    return append(lines);
  }

  Status append(const std::string& lines) {
    return lines.empty() ? Status{} : write_all(file_.get(), (is_torn_ ? "\n" : "") + lines, "append to " + path_);
  }

 private:
  Status read() {
    const Result<std::string> text = read_file(path_, "run ledger", kGiB);
    if (!text) return fail(text.error());
    is_torn_ = !text->empty() && text->back() != '\n';
    std::istringstream lines(*text);
    for (std::string line; std::getline(lines, line);) {
      const auto event = rules::parse_json_document(line);
      if (!event) continue;  // a line that was torn by a crash
      const auto id = (*event)["id"].number();
      const std::string leaf = (*event)["leaf"].text_or("");
      if (!id || *id < 1 || *id > 1e15) continue;
      last_ = std::max(last_, static_cast<uint64_t>(*id));
      const std::string kind = (*event)["event"].text_or("");
      if (kind == "registered") known_[leaf] = {static_cast<uint64_t>(*id), (*event)["at"].text_or("")};
      if (kind == "trashed") std::erase_if(known_, [&](const auto& one) { return one.second.first == *id; });
    }
    return {};
  }

  std::string path_;
  Descriptor lock_;
  Descriptor file_;
  std::map<std::string, std::pair<uint64_t, std::string>> known_;
  uint64_t last_ = 0;
  bool is_torn_ = false;
};

}  // namespace

uint64_t bytes_below(const rules::Tree& tree, const std::string& folder) {
  uint64_t bytes = 0;
  std::error_code failed;
  fs::recursive_directory_iterator at(tree.absolute(folder), fs::directory_options::skip_permission_denied, failed);
  for (; !failed && at != fs::recursive_directory_iterator(); at.increment(failed)) {
    std::error_code unknown;
    if (!at->is_symlink(unknown) && at->is_regular_file(unknown)) bytes += at->file_size(unknown);
  }
  return bytes;
}

Result<std::vector<Run>> list_runs(const rules::Tree& tree) {
  rules::Problems ignored;
  std::vector<std::string> submissions = tree.submissions(ignored);
  for (const std::string& orgname : tree.folders("whatif", ignored)) submissions.push_back("whatif/" + orgname);
  std::vector<rules::WorkloadPlace> places;
  for (const std::string& submission : submissions) {
    for (rules::WorkloadPlace& place : tree.workloads(submission, ignored)) places.push_back(std::move(place));
  }
  std::vector<std::vector<Run>> parts(places.size());
  const Status read =
      rules::for_each_workload(tree, places, [&](size_t index, const rules::Workload& workload, rules::Problems&) {
        for (const Leaf& leaf : workload.leaves) parts[index].push_back(run_of(tree, workload.place, leaf));
      });
  if (!read) return fail(read.error());
  std::vector<Run> runs;
  for (std::vector<Run>& part : parts) std::move(part.begin(), part.end(), std::back_inserter(runs));
  std::sort(runs.begin(), runs.end(), [](const Run& one, const Run& other) {
    return std::tie(one.run_datetime, one.leaf) < std::tie(other.run_datetime, other.leaf);
  });
  Ledger ledger(tree);
  Status numbered = ledger.open();
  if (numbered) numbered = ledger.number(runs);
  if (!numbered) return fail(numbered.error());
  std::sort(runs.begin(), runs.end(), [](const Run& one, const Run& other) {
    return std::tie(one.state, one.id) < std::tie(other.state, other.id);
  });
  return runs;
}

Result<std::string> move_to_trash(const rules::Tree& tree, const std::vector<std::string>& folders) {
  const std::string stamp = run_stamp(Stamp::now().wall_us);
  std::string batch = fmt::format("{}/{}", kTrash, stamp);
  for (int number = 2; tree.has(batch); ++number) batch = fmt::format("{}/{}-{}", kTrash, stamp, number);
  for (const std::string& folder : folders) {
    const std::string target = tree.absolute(batch + "/" + folder);
    std::error_code failed;
    fs::create_directories(fs::path(target).parent_path(), failed);
    if (!failed) fs::rename(tree.absolute(folder), target, failed);
    if (failed) return fail(errno_error(failed.value(), fmt::format("move {} to {}", folder, batch)));
  }
  return batch;
}

Status note_trashed(const rules::Tree& tree, const std::vector<Run>& runs, const std::string& batch) {
  Ledger ledger(tree);
  if (Status opened = ledger.open(); !opened) return opened;
  std::string lines;
  const std::string now = iso_local(Stamp::now().wall_us).substr(0, 19);
  for (const Run& run : runs) {
    lines += Json({{"at", now}, {"event", "trashed"}, {"id", run.id}, {"to", batch + "/" + run.leaf}}).dump() + "\n";
  }
  return ledger.append(lines);
}

Result<Purged> purge_trash(const rules::Tree& tree, bool really) {
  Purged purged;
  std::error_code failed;
  for (fs::directory_iterator at(tree.absolute(kTrash), failed); !failed && at != fs::directory_iterator();
       at.increment(failed)) {
    ++purged.batches;
  }
  purged.bytes = bytes_below(tree, kTrash);
  failed.clear();
  if (really) fs::remove_all(tree.absolute(kTrash), failed);
  if (failed) return fail(errno_error(failed.value(), fmt::format("remove {}", tree.absolute(kTrash))));
  return purged;
}

std::vector<std::string> unused_images(const rules::Tree& tree, const std::vector<Run>& runs) {
  std::set<std::string> used;
  const auto use = [&](std::string_view pointer) {
    const size_t colon = pointer.find(':');
    if (colon != std::string_view::npos) used.insert(fmt::format("code-{}", pointer.substr(colon + 1, 8)));
  };
  for (const Run& run : runs) use(run.code_image);
  std::error_code failed;
  fs::recursive_directory_iterator at(tree.absolute(kTrash), failed);
  for (; !failed && at != fs::recursive_directory_iterator(); at.increment(failed)) {
    if (at->path().filename() != ".mlps-code-image") continue;
    if (const auto pointer = read_file(at->path().string(), "pointer", kKiB)) use(trimmed(*pointer));
  }
  rules::Problems ignored;
  std::vector<std::string> unused;
  for (const std::string& pool : tree.folders("", ignored)) {
    if (!tree.has(pool + "/.mlps-image-pool")) continue;
    for (const std::string& name : tree.folders(pool, ignored)) {
      if (name.starts_with("code-") && !used.contains(name)) unused.push_back(joined(pool, name));
    }
  }
  return unused;
}

}  // namespace mlps::reports
