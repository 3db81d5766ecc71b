#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "cli/try/outcome.hpp"
#include "cli/try/place.hpp"
#include "cli/try/runner.hpp"
#include "cli/try/sizes.hpp"

namespace mlps::cli {

/// What the user decides of `try`.
struct TrySettings {
  double seconds = 60;
  std::string accelerator;                   ///< "b200"; or empty: by the place's rate
  std::vector<TryAccelerator> accelerators;  ///< all that there are
  std::string results_dir, system;
  std::string fault;  ///< for --inject-fault of every command; or empty
};

/// Runs the parts of `try` one after the other on a place, each sized by what those before it have shown. What is
/// stored is removed after each part, and in any case by the destructor.
class TrySession {
 public:
  /// Refers to all three.
  TrySession(const TrySettings& settings, const TryPlace& place, TryRunner& runner)
      : settings_(settings), place_(place), runner_(runner), limits_{settings.seconds, place.room_bytes} {}
  ~TrySession() { (void)remove_all(); }
  TrySession(const TrySession&) = delete;
  TrySession& operator=(const TrySession&) = delete;

  /// Finds the rates of the place: checkpoints of growing size, until one takes long enough to be timed.
  Status probe();
  TryPart train();
  TryPart offload();  ///< a KV cache
  TryPart search();   ///< vectors
  TryPart checkpoint();
  /// Removes all that is stored at the place, the scratch folder included. An error names what is left, and the command
  /// that removes it.
  Status remove_all();

 private:
  using Words = std::vector<std::string>;
  static constexpr double kTrainingShare = 0.30;  // of the time

  /// Returns the words of a command: benchmark's words, the storage's, `more`, and what all have.
  Words command(Words benchmark, Words more) const;
  Result<rules::Document> run_checkpoints(double scale, uint32_t count, const std::string& what);
  Result<run::EdgeTrial> train_with(uint64_t accelerators, const TryDataSet& data, TryPart& part);
  Status generate(const TryDataSet& data);
  run::EdgeAnswer find_edge(const TryDataSet& data, TryPart& part);
  uint32_t most_trials() const { return settings_.seconds < 30 ? 3 : 5; }
  double trial_s() const { return kTrainingShare * settings_.seconds / most_trials(); }  ///< of one of them, as planned
  /// Writes and reads `count` checkpoints in about `seconds`, and adds them to `sum`.
  Status add_checkpoints(double seconds, uint32_t count, TryCheckpoints& sum, TryPart& part);
  /// Runs a command that ends a part; its headline comes from the record.
  void finish(TryPart& part, Words words, const std::string& what,
              std::vector<std::string> (*phrases)(const rules::Document&));
  Status remove(const std::string& location);
  double left_s() const;
  double checkpoint_s() const;  ///< of the last part

  const TrySettings& settings_;
  const TryPlace& place_;
  TryRunner& runner_;
  TryLimits limits_;
  TryRates rates_;
  TryAccelerator accelerator_;  ///< that is trained with
  double part_latency_ns_ = 0;
  double checkpoint_bytes_ = 0;  ///< of the whole model
  std::vector<std::pair<uint64_t, reports::page::RunView>> trials_;
  double training_until_s_ = 0;
  double best_read_ = 0;  ///< bytes per second, of all training runs
  bool removed_ = false;
};

}  // namespace mlps::cli
