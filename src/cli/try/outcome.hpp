#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/json.hpp"
#include "cli/try/sizes.hpp"
#include "reports/page/run_view.hpp"
#include "rules/document.hpp"
#include "run/edge_search.hpp"

/// What `try` found out, and how it is told.
namespace mlps::cli {

/// One part of `try`: a workload on the place.
struct TryPart {
  std::string name;                          ///< "training"
  std::vector<std::string> headline;         ///< phrases; those that have no room are left out
  std::string limit;                         ///< what limited it
  std::optional<Error> error;                ///< it failed
  std::string left_out;                      ///< why it was not tried
  std::vector<reports::page::RunView> runs;  ///< that the headline is taken from
  Json figures = Json::object();
};

/// What all checkpoints together came to.
struct TryCheckpoints {
  double model_bytes = 0;  ///< of a checkpoint of the whole model
  double bytes = 0;        ///< written, and as many read
  double write_s = 0, read_s = 0;

  double write_rate() const { return bytes / write_s; }
  double read_rate() const { return bytes / read_s; }
};

struct TryOutcome {
  std::string place;  ///< as shown
  bool memory = false, null = false;
  double seconds = 0;
  std::vector<TryPart> parts;
  std::string folder;  ///< of report.html
};

/// Returns what a search for the most accelerators says: "feeds 3 b200 (AU 94.1 %), not 4 (AU 71.2 %)", and what the
/// one of `all` that asks for most would take, where it is another. `rate` is the highest at which samples were read,
/// in bytes per second.
std::vector<std::string> feeds_phrases(const run::EdgeAnswer& answer, double rate, const TryAccelerator& accelerator,
                                       const std::vector<TryAccelerator>& all);

/// Returns the headline of runs that wrote and read checkpoints of the same model: bytes of all over the time of all.
std::vector<std::string> checkpoint_phrases(const TryCheckpoints& checkpoints);
/// Return the headlines of a run by its record.
std::vector<std::string> kvcache_phrases(const rules::Document& record);
std::vector<std::string> vectordb_phrases(const rules::Document& record);

/// Returns the whole outcome as text of 80 columns, and as JSON with the schema mlpstorage.try/1.
std::string try_text(const TryOutcome& outcome);
Json try_json(const TryOutcome& outcome);

}  // namespace mlps::cli
