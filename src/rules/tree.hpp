#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/descriptor.hpp"
#include "rules/document.hpp"

/// A tree of results, of this program or of mlpstorage 3.0, as it lies on disk. Paths are relative to its root, with
/// '/' between their parts. Nothing outside of the root is ever read: a link that leads there is a problem, not a way.
namespace mlps::rules {

/// Describes what could not be read, or not as what it should be.
struct Problem {
  std::string path;
  std::string message;
};
using Problems = std::vector<Problem>;

struct Entry {
  std::string name;
  bool is_folder = false;
};

/// Names a run folder, "leaf" in the rules.
struct LeafPlace {
  std::string path;
  std::string name;     ///< its last part, by the rules "YYYYMMDD_HHMMSS"
  std::string command;  ///< "run", "datagen", "datasize"; of the folder above it, for checkpointing always "run"
};

/// Names the folder of one workload of one system, and the run folders below it.
struct WorkloadPlace {
  std::string division;  ///< "closed" or "open"
  std::string orgname;
  std::string system;
  std::string family;  ///< "training", "checkpointing", "vector_database", "kv_cache"
  std::string model;   ///< of vector_database "milvus/DISKANN", as far as the tree has these levels
  std::string path;
  std::vector<std::string> folders;  ///< directly below `path`, without hidden ones
  std::vector<LeafPlace> leaves;     ///< in the order of their paths
};

/// Holds a run folder with its small files. A file that is absent or unreadable is an empty document.
struct Leaf {
  LeafPlace place;
  std::vector<Entry> entries;
  std::vector<std::string> metadata_files;
  Document metadata;  ///< of the one metadata file, if there is just one
  Document summary;
  Document separation;
  Document verdict;  ///< result_verdict.json
  Document provenance;
  std::string pointer;  ///< text of .mlps-code-image, without white space around; empty: absent

  bool has_file(std::string_view name) const;
  bool has_file_ending(std::string_view end) const;
  std::vector<std::string> files_ending(std::string_view end) const;
  Node args() const { return metadata["args"]; }
  Node parameters() const { return metadata["parameters"]; }
};

struct CacheRanks;

/// Holds a workload with its run folders, read once for all rules.
struct Workload {
  WorkloadPlace place;
  std::vector<Leaf> leaves;
  Document system;                                                                    ///< systems/<system>.yaml
  mutable std::map<std::string, std::shared_ptr<const CacheRanks>> cache_ranks = {};  ///< see cache_ranks_of()

  std::vector<const Leaf*> of(std::string_view command) const;
};

class Tree {
 public:
  /// Opens a folder. E401 if it is not there, E404 if it is no folder.
  static Result<Tree> open(const std::string& path);

  const std::string& root() const { return root_; }
  std::string absolute(std::string_view path) const;
  /// Returns whether a file or folder is there, and inside the tree also behind all links.
  bool has(std::string_view path) const;

  /// Returns what lies in a folder, sorted by name; nothing if it isn't there.
  std::vector<Entry> list(std::string_view path, Problems& problems) const;
  std::vector<std::string> folders(std::string_view path, Problems& problems) const;  ///< without hidden ones
  Document json(std::string_view path, Problems& problems) const;
  Document yaml(std::string_view path, Problems& problems) const;
  /// Returns the text of a file of at most 64 KiB; empty where it is absent or unreadable.
  std::string text(std::string_view path, Problems& problems) const;

  /// Returns "closed/acme" and so on.
  std::vector<std::string> submissions(Problems& problems) const;
  /// Returns the workloads of one of them, in the order of their paths. Run folders are named, not read.
  std::vector<WorkloadPlace> workloads(std::string_view submission, Problems& problems) const;
  /// Returns the workloads of a flat tree, whose root holds the folders of the benchmarks. Division, organisation and
  /// system are empty: nothing in the paths tells them.
  std::vector<WorkloadPlace> flat_workloads(Problems& problems) const;
  Workload load(const WorkloadPlace& place, Problems& problems) const;

 private:
  class ParsedTexts;
  Tree(std::string root, Descriptor folder);
  Result<Descriptor> open_inside(std::string_view path, int flags) const;
  std::optional<std::string> read(std::string_view path, uint64_t most_bytes, Problems& problems) const;
  Document older_summary(const Leaf& leaf, Problems& problems) const;
  Leaf load_leaf(const LeafPlace& place, Problems& problems) const;
  void add_leaves(WorkloadPlace& place, const std::string& folder, const std::string& command,
                  Problems& problems) const;
  void add_workloads(const WorkloadPlace& family, const std::string& folder, unsigned levels,
                     std::vector<WorkloadPlace>& found, Problems& problems) const;

  std::string root_;
  std::shared_ptr<const Descriptor> folder_;  ///< of the root
  std::shared_ptr<ParsedTexts> parsed_;       ///< YAML that was read lately
};

/// Calls use(0) to use(count - 1), on as many threads as there are processors. Fails if the system refuses a thread, or
/// with what `use` threw.
Status for_each_index(size_t count, const std::function<void(size_t index)>& use);

/// Takes a workload that was just read, its number in the list, and what could not be read of it.
using WorkloadUse = std::function<void(size_t index, const Workload& workload, Problems& problems)>;
/// Reads each of these workloads and gives it to `use`, by for_each_index(); one workload a thread is in memory.
Status for_each_workload(const Tree& tree, const std::vector<WorkloadPlace>& places, const WorkloadUse& use);

/// Returns whether a name has the form of a run folder's: "YYYYMMDD_HHMMSS".
bool is_run_name(std::string_view name);

/// Returns the seconds that two moments can be compared by, from "YYYYMMDD_HHMMSS" or ISO 8601; nothing for other text.
/// `aware`, where given, is set to whether the text names a zone: one that does can't be compared with one that
/// doesn't.
std::optional<double> parse_moment(std::string_view text, bool* aware = nullptr);

}  // namespace mlps::rules
