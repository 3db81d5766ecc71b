#include "rules/tree.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <deque>
#include <mutex>

#include "base/encoding.hpp"
#include "base/text.hpp"
#include "base/threads.hpp"

namespace mlps::rules {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 3> kCommands = {"datasize", "datagen", "run"};
constexpr uint64_t kMostTextBytes = 64 * kKiB;
constexpr uint64_t kMostYamlBytes = kMiB;
constexpr uint64_t kMostKeptBytes = 2 * kMiB;

bool is_command(std::string_view name) {
  return std::find(kCommands.begin(), kCommands.end(), name) != kCommands.end();
}

std::string below(std::string_view folder, std::string_view name) {
  return folder.empty() ? std::string(name) : fmt::format("{}/{}", folder, name);
}

// Rooms that version control, file browsers and Python leave everywhere.
bool is_litter(std::string_view name) {
  return name.starts_with('.') || name == "__pycache__";
}

bool is_within(const fs::path& path, const fs::path& root) {
  const auto [at, rest] = std::mismatch(root.begin(), root.end(), path.begin(), path.end());
  return at == root.end();
}

}  // namespace

bool Leaf::has_file(std::string_view name) const {
  return std::any_of(entries.begin(), entries.end(), [&](const Entry& entry) { return entry.name == name; });
}

bool Leaf::has_file_ending(std::string_view end) const {
  return !files_ending(end).empty();
}

std::vector<std::string> Leaf::files_ending(std::string_view end) const {
  std::vector<std::string> names;
  for (const Entry& entry : entries) {
    if (!entry.is_folder && entry.name.ends_with(end)) names.push_back(entry.name);
  }
  return names;
}

std::vector<const Leaf*> Workload::of(std::string_view command) const {
  std::vector<const Leaf*> found;
  for (const Leaf& leaf : leaves) {
    if (leaf.place.command == command) found.push_back(&leaf);
  }
  return found;
}

// Keeps the documents of the last texts, whose parsing takes long: every workload of a system, and several rules, read
// its description.
class Tree::ParsedTexts {
 public:
  Result<Document> document_of(std::string text) {
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [known, document] : texts_) {
        if (known == text) return document;
      }
    }
    Result<Document> document = parse_yaml_document(text);
    const std::lock_guard lock(mutex_);
    bytes_ += text.size();
    texts_.emplace_back(std::move(text), document);
    for (; bytes_ > kMostKeptBytes; texts_.pop_front()) bytes_ -= texts_.front().first.size();
    return document;
  }

 private:
  std::mutex mutex_;
  std::deque<std::pair<std::string, Result<Document>>> texts_;
  size_t bytes_ = 0;
};

Tree::Tree(std::string root, Descriptor folder)
    : root_(std::move(root)),
      folder_(std::make_shared<const Descriptor>(std::move(folder))),
      parsed_(std::make_shared<ParsedTexts>()) {}

Result<Tree> Tree::open(const std::string& path) {
  std::error_code failed;
  const fs::path root = fs::canonical(path, failed);
  if (failed) return fail(errno_error(failed.value(), "open results " + path));
  if (!fs::is_directory(root, failed)) {
    return fail(ErrorCode::kInvalidStructure, fmt::format("{} is no folder", path), {},
                "give the root of a tree of results");
  }
  Descriptor folder(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!folder.is_open()) return fail(errno_error(errno, "open results " + path));
  return Tree(root.string(), std::move(folder));
}

std::string Tree::absolute(std::string_view path) const {
  return path.empty() ? root_ : fmt::format("{}/{}", root_, path);
}

// Opens what lies at a path of the tree. Links may lead to another place of it, but not out.
Result<Descriptor> Tree::open_inside(std::string_view path, int flags) const {
  const std::string name = path.empty() ? "." : std::string(path);
  open_how how{};
  how.flags = static_cast<uint64_t>(flags) | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  Descriptor opened(static_cast<int>(::syscall(SYS_openat2, folder_->get(), name.c_str(), &how, sizeof(how))));
  if (opened.is_open()) return opened;
  // An absolute link may lead inside all the same; and some kernels, and sandboxes, don't have the call.
  const bool may_be_inside = errno == EXDEV || errno == ENOSYS || errno == EPERM || errno == EAGAIN;
  if (!may_be_inside) return fail(errno_error(errno, "read " + name));
  std::error_code failed;
  const fs::path real = fs::canonical(absolute(path), failed);
  if (failed) return fail(errno_error(failed.value(), "read " + name));
  if (!is_within(real, root_)) {
    return fail(ErrorCode::kInvalidStructure, "is a link out of the tree; it is not followed");
  }
  opened = Descriptor(::open(real.c_str(), flags | O_CLOEXEC));
  return opened.is_open() ? Result<Descriptor>(std::move(opened)) : fail(errno_error(errno, "read " + name));
}

bool Tree::has(std::string_view path) const {
  return open_inside(path, O_PATH).has_value();
}

namespace {

// Whether a name in an open folder is one of a folder; for links of what they lead to.
bool is_folder_at(int folder, const dirent& entry, int flags) {
  if (entry.d_type != DT_UNKNOWN && flags != 0) return entry.d_type == DT_DIR;
  struct stat found {};
  return ::fstatat(folder, entry.d_name, &found, flags) == 0 && S_ISDIR(found.st_mode);
}

bool is_link_at(int folder, const dirent& entry) {
  if (entry.d_type != DT_UNKNOWN) return entry.d_type == DT_LNK;
  struct stat found {};
  return ::fstatat(folder, entry.d_name, &found, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(found.st_mode);
}

}  // namespace

std::vector<Entry> Tree::list(std::string_view path, Problems& problems) const {
  std::vector<Entry> entries;
  Result<Descriptor> folder = open_inside(path, O_RDONLY | O_DIRECTORY);
  if (!folder) {
    std::error_code failed;
    const bool is_there = fs::is_directory(absolute(path), failed);
    if (is_there) problems.push_back({std::string(path), folder.error().message});
    return entries;
  }
  const int fd = ::fcntl(folder->get(), F_DUPFD_CLOEXEC, 0);  // for the stream, which closes it
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(fd < 0 ? nullptr : ::fdopendir(fd), &::closedir);
  if (stream == nullptr) {
    problems.push_back({std::string(path), "can't be listed: " + errno_error(errno, "list").message});
    if (fd >= 0) ::close(fd);
    return entries;
  }
  errno = 0;
  while (const dirent* entry = ::readdir(stream.get())) {
    const std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    const bool is_link = is_link_at(fd, *entry);
    if (is_link) {
      const Result<Descriptor> target = open_inside(below(path, name), O_PATH);
      if (!target) {
        const bool leads_out = target.error().code == ErrorCode::kInvalidStructure;
        problems.push_back(
            {below(path, printable(name)), leads_out ? target.error().message : "is a link that leads nowhere"});
        errno = 0;
        continue;
      }
    }
    entries.push_back({name, is_folder_at(fd, *entry, is_link ? 0 : AT_SYMLINK_NOFOLLOW)});
    errno = 0;
  }
  if (errno != 0) problems.push_back({std::string(path), "can't be listed: " + errno_error(errno, "list").message});
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.name < b.name; });
  return entries;
}

std::vector<std::string> Tree::folders(std::string_view path, Problems& problems) const {
  std::vector<std::string> names;
  for (const Entry& entry : list(path, problems)) {
    if (entry.is_folder && !is_litter(entry.name)) names.push_back(entry.name);
  }
  return names;
}

// Returns the text of a file in the tree; nothing where it is absent, and a problem where it can't be read.
std::optional<std::string> Tree::read(std::string_view path, uint64_t most_bytes, Problems& problems) const {
  const auto tell = [&](std::string message) {
    problems.push_back({std::string(path), std::move(message)});
    return std::nullopt;
  };
  // Without O_NONBLOCK the open of a pipe would wait for a writer.
  const Result<Descriptor> file = open_inside(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  std::error_code unknown;
  if (!file && !fs::exists(absolute(path), unknown)) return std::nullopt;
  if (!file) return tell(file.error().message);
  struct stat found {};
  if (::fstat(file->get(), &found) != 0 || !S_ISREG(found.st_mode)) return tell("is no file");
  if (static_cast<uint64_t>(found.st_size) > most_bytes) {
    return tell(fmt::format("{} is more than such a file can have, {}",
                            human_bytes(static_cast<uint64_t>(found.st_size)), human_bytes(most_bytes)));
  }
  std::string text(static_cast<size_t>(found.st_size), '\0');
  size_t have = 0;
  while (have < text.size()) {
    const ssize_t got = ::read(file->get(), text.data() + have, text.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return tell(errno_error(errno, "read " + std::string(path)).message);
    if (got == 0) break;
    have += static_cast<size_t>(got);
  }
  text.resize(have);
  return text;
}

Document Tree::json(std::string_view path, Problems& problems) const {
  const auto text = read(path, kMostDocumentBytes, problems);
  if (!text) return {};
  Result<Document> document = parse_json_document(*text);
  if (document) return *document;
  problems.push_back({std::string(path), document.error().message});
  return {};
}

Document Tree::yaml(std::string_view path, Problems& problems) const {
  auto text = read(path, kMostYamlBytes, problems);
  if (!text) return {};
  Result<Document> document = parsed_->document_of(std::move(*text));
  if (document) return *document;
  problems.push_back({std::string(path), document.error().message});
  return {};
}

std::string Tree::text(std::string_view path, Problems& problems) const {
  const auto text = read(path, kMostTextBytes, problems);
  return text ? std::string(trimmed(*text)) : std::string();
}

std::vector<std::string> Tree::submissions(Problems& problems) const {
  std::vector<std::string> found;
  for (const std::string_view division : {"closed", "open"}) {
    for (const std::string& orgname : folders(division, problems)) found.push_back(below(division, orgname));
  }
  return found;
}

void Tree::add_leaves(WorkloadPlace& place, const std::string& folder, const std::string& command,
                      Problems& problems) const {
  for (const std::string& name : folders(folder, problems)) {
    place.leaves.push_back({below(folder, name), name, command});
  }
}

// Descends at most `levels` folders to where the commands, or the run folders, lie.
void Tree::add_workloads(const WorkloadPlace& family, const std::string& folder, unsigned levels,
                         std::vector<WorkloadPlace>& found, Problems& problems) const {
  WorkloadPlace place = family;
  place.path = folder;
  place.folders = folders(folder, problems);
  const bool has_commands = std::any_of(place.folders.begin(), place.folders.end(), is_command);
  if (levels > 0 && !has_commands) {
    for (const std::string& name : place.folders) {
      WorkloadPlace inner = family;
      inner.model = below(family.model, name);
      add_workloads(inner, below(folder, name), levels - 1, found, problems);
    }
    return;
  }
  if (place.family == "checkpointing" && !has_commands) {
    add_leaves(place, folder, "run", problems);
  } else {
    for (const std::string_view command : kCommands) {
      add_leaves(place, below(folder, command), std::string(command), problems);
    }
  }
  found.push_back(std::move(place));
}

std::vector<WorkloadPlace> Tree::workloads(std::string_view submission, Problems& problems) const {
  std::vector<WorkloadPlace> found;
  const std::vector<std::string> parts = split(submission, "/");
  if (parts.size() != 2) return found;
  const std::string results = below(submission, "results");
  for (const std::string& system : folders(results, problems)) {
    for (const std::string& family : folders(below(results, system), problems)) {
      const unsigned levels = family == "vector_database" ? 2 : 1;
      add_workloads({parts[0], parts[1], system, family, {}, {}, {}, {}}, below(below(results, system), family), levels,
                    found, problems);
    }
  }
  return found;
}

std::vector<WorkloadPlace> Tree::flat_workloads(Problems& problems) const {
  std::vector<WorkloadPlace> found;
  for (const std::string_view family : {"training", "checkpointing", "vector_database", "kv_cache"}) {
    WorkloadPlace place;
    place.family = family;
    if (has(family)) add_workloads(place, place.family, family == "vector_database" ? 2 : 1, found, problems);
  }
  return found;
}

// Returns the summary of a key-value cache by its name of older versions: kvcache_run_summary_<time>.json.
Document Tree::older_summary(const Leaf& leaf, Problems& problems) const {
  for (const Entry& entry : leaf.entries) {
    if (entry.name.starts_with("kvcache_run_summary") && entry.name.ends_with(".json")) {
      return json(below(leaf.place.path, entry.name), problems);
    }
  }
  return {};
}

Leaf Tree::load_leaf(const LeafPlace& place, Problems& problems) const {
  Leaf leaf;
  leaf.place = place;
  leaf.entries = list(place.path, problems);
  leaf.metadata_files = leaf.files_ending("_metadata.json");
  if (leaf.metadata_files.size() == 1) leaf.metadata = json(below(place.path, leaf.metadata_files.front()), problems);
  // Without a level for the command, its datasize lies beside its runs.
  if (place.path.find("/checkpointing/") != std::string::npos || place.path.starts_with("checkpointing/")) {
    leaf.place.command = leaf.metadata["command"].text_or(place.command);
  }
  const auto small = [&](const char* name) {
    return leaf.has_file(name) ? json(below(place.path, name), problems) : Document();
  };
  leaf.summary = small("summary.json");
  if (!leaf.has_file("summary.json")) leaf.summary = older_summary(leaf, problems);
  leaf.separation = small("fs_separation.json");
  leaf.verdict = small("result_verdict.json");
  leaf.provenance = small("provenance.json");
  if (leaf.has_file(".mlps-code-image")) leaf.pointer = text(below(place.path, ".mlps-code-image"), problems);
  return leaf;
}

Workload Tree::load(const WorkloadPlace& place, Problems& problems) const {
  Workload workload;
  workload.place = place;
  for (const LeafPlace& leaf : place.leaves) workload.leaves.push_back(load_leaf(leaf, problems));
  workload.system = yaml(fmt::format("{}/{}/systems/{}.yaml", place.division, place.orgname, place.system), problems);
  return workload;
}

Status for_each_index(size_t count, const std::function<void(size_t)>& use) {
  if (count == 0) return {};
  std::atomic<size_t> next = 0;
  return run_on_threads(std::min<size_t>(processors(), count), {"readers of results"}, [&](size_t /*thread*/) {
    for (size_t index = next++; index < count; index = next++) use(index);
  });
}

Status for_each_workload(const Tree& tree, const std::vector<WorkloadPlace>& places, const WorkloadUse& use) {
  return for_each_index(places.size(), [&](size_t index) {
    Problems problems;
    const Workload workload = tree.load(places[index], problems);
    use(index, workload, problems);
  });
}

}  // namespace mlps::rules
