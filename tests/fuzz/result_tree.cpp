// Trees of results that others wrote, read as a whole: the same bytes lie in the place of every file that a rule, a
// table, a list of runs or a comparison reads. The number stream of the files of ranks is held against the parser of
// documents.
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "fuzz.hpp"
#include "reports/compare.hpp"
#include "reports/public_ids.hpp"
#include "reports/reportgen.hpp"
#include "reports/runs.hpp"
#include "rules/coverage.hpp"
#include "rules/validate.hpp"

namespace {

namespace fs = std::filesystem;
using namespace mlps;

// A tree with one run folder of each benchmark, whose files are there and empty.
class Skeleton {
 public:
  Skeleton()
      : root_(fs::path(fs::exists("/dev/shm") ? "/dev/shm" : "/tmp") / ("mlps_fuzz_" + std::to_string(::getpid()))) {
    const std::string training = "closed/a/results/s/training/unet3d/run/20260101_000000/";
    const std::string cache = "closed/a/results/s/kv_cache/llama3.1-8b/run/20260101_000000/";
    const std::string search = "open/a/results/s/vector_database/milvus/DISKANN/run/20260101_000000/";
    for (const char* system : {"closed/a/", "open/a/"})
      add(system, {"submission.yaml", "systems/s.yaml", "results/results.json"});
    add(training, {"training_1_metadata.json", "summary.json", "0_output.json", "0_per_epoch_stats.json",
                   "datagen-manifest.json", "fs_separation.json", "provenance.json", ".mlps-code-image",
                   "mlpstorage_files.json", "mlpstorage_record.json", "dlio_config/overrides.yaml"});
    add("closed/a/results/s/checkpointing/llama3-8b/20260101_000000/",
        {"checkpointing_1_metadata.json", "summary.json", "0_output.json", "0_per_epoch_stats.json"});
    add(cache, {"kv_cache_1_metadata.json", "summary.json", "option_1/trial_0/rank_0/kvcache_results_1.json"});
    add(search, {"vector_database_1_metadata.json", "summary.json", "recall_stats.json", "result_verdict.json",
                 "vectordb/simple/statistics.json"});
    add("", {"code-images/code-00000000/.code-hash.json", "public_ids.json", ".mlps/runs.jsonl"});
  }
  ~Skeleton() { fs::remove_all(root_); }

  void fill(std::string_view bytes) const {
    for (const fs::path& file : files_) std::ofstream(file, std::ios::binary) << bytes;
  }
  const fs::path& root() const { return root_; }
  std::string path(const char* name) const { return (root_ / name).string(); }

 private:
  void add(const std::string& folder, const std::vector<const char*>& names) {
    for (const char* name : names) {
      files_.push_back(root_ / (folder + name));
      fs::create_directories(files_.back().parent_path());
    }
  }
  fs::path root_;
  std::vector<fs::path> files_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Skeleton skeleton;
  const std::string text(fuzz::text_of(data, size));
  skeleton.fill(text);

  double sum = 0;
  const Status streamed =
      rules::stream_numbers(skeleton.path("public_ids.json"), [&](const auto&, double value) { sum += value; });
  const auto document = rules::parse_json_document(text);
  // The parser asks for UTF-8, the stream doesn't.
  fuzz::require(!document || streamed, "what is a document is a stream of numbers");

  const auto tree = rules::Tree::open(skeleton.root().string());
  fuzz::require(tree.has_value(), "the tree can be opened");
  for (const bool as_3046 : {false, true}) {
    const auto judgement = rules::validate(*tree, {.as_3046 = as_3046});
    if (!judgement) continue;
    (void)rules::judgement_text(*judgement);
    (void)rules::judgement_csv(*judgement);
    fuzz::require(rules::parse_json_document(rules::judgement_json(*judgement).dump()).has_value(),
                  "a judgement is JSON");
  }
  if (const auto report = reports::judge_runs(*tree, {})) {
    fuzz::require(rules::parse_json_document(reports::report_json(*report).dump()).has_value(), "a report is JSON");
  }
  (void)reports::PublicIds::load(*tree, {"public_ids.json"});
  (void)rules::coverage_of(text);
  for (const char* runs : {"closed/a/results/s/training/unet3d/run", "open/a/results/s/vector_database"}) {
    if (const auto both = reports::compare(skeleton.path(runs), skeleton.path(runs)))
      (void)reports::comparison_text(*both);
  }
  skeleton.fill(text);  // what writes, such as the ledger's reader, leaves the next input as it was
  (void)reports::list_runs(*tree);
  return 0;
}
