#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "benchmarks/training/generate.hpp"
#include "benchmarks/training/plan.hpp"
#include "benchmarks/training/record.hpp"
#include "results/json_text.hpp"
#include "results/run_context.hpp"
#include "workloads/training_workload.hpp"

/// Views of training plans and records: tables for people, JSON for programs. Pure functions; every text ends in '\n'.
namespace mlps::results {

/// Name the formats of record_json(), plan_json() and datasize_json().
inline constexpr const char* kRunSchema = "mlpstorage.training/1";
inline constexpr const char* kDatagenSchema = "mlpstorage.datagen/1";
inline constexpr const char* kRunPlanSchema = "mlpstorage.training-plan/1";
inline constexpr const char* kDatagenPlanSchema = "mlpstorage.datagen-plan/1";
inline constexpr const char* kDatasizeSchema = "mlpstorage.datasize/1";

/// Holds the facts that plan tables show besides the plan. Empty or absent members leave their lines out.
struct TrainingDetails {
  std::string mode;           ///< "closed", "open", "whatif"
  std::string division;       ///< what the rules say of it: "CLOSED", "OPEN", "INVALID"
  std::string location;       ///< the data folder, rendered
  std::string file_count_is;  ///< where num_files_train comes from, in words
  std::string checkpoints;    ///< their folder, rendered
  bool verify = false;
  std::optional<uint64_t> data_seed;
  std::vector<std::pair<std::string, std::string>> store_settings;  ///< Store::describe()
  std::string injected_fault;
};

/// Holds the answer of datasize, as the rules count it.
struct DatasizeAnswer {
  std::string mode;
  workloads::TrainingWorkload workload;
  training::DatasizeRequest request;
  training::Datasize size;
  std::string datagen_command;  ///< ready to be run
};
std::string datasize_text(const DatasizeAnswer& answer);
std::string datasize_json(const DatasizeAnswer& answer);

/// Return what a run would do, and how; `reads` is absent where no data folder is known.
std::string plan_table(const workloads::TrainingWorkload& workload, const training::RunPlan& plan,
                       const std::optional<training::ReadPlan>& reads, const TrainingDetails& details);
std::string plan_json(const workloads::TrainingWorkload& workload, const training::RunPlan& plan,
                      const std::optional<training::ReadPlan>& reads, const TrainingDetails& details);

/// Holds what datagen would write, and how.
struct DatagenPlan {
  std::string model;
  std::string format;
  uint64_t files = 0;       ///< train and valid
  uint64_t eval_files = 0;  ///< of them, in valid/
  uint64_t samples_per_file = 0;
  uint64_t bytes = 0;  ///< expected: exact where sizes don't vary
  bool sizes_vary = false;
  uint32_t processes = 0;
  training::WritePlan writes;
};
std::string plan_table(const DatagenPlan& plan, const TrainingDetails& details);
std::string plan_json(const DatagenPlan& plan, const TrainingDetails& details);

/// Return rates, the split of time and the verdict; a notice stands out where the AU misses its threshold.
std::string result_table(const training::RunRecord& record);
std::string result_table(const training::GenerateRecord& record);

/// Return the text of mlpstorage_record.json. Without an outcome the verdict is "incomplete".
std::string record_json(const RunContext& context, const training::RunRecord& record,
                        const std::optional<RunOutcome>& outcome);
std::string record_json(const RunContext& context, const training::GenerateRecord& record,
                        const std::optional<RunOutcome>& outcome);

/// Pieces of the JSON that plans and records share.
Json run_plan_json(const training::RunPlan& plan);
Json read_plan_json(const training::ReadPlan& reads);
Json write_plan_json(const training::WritePlan& writes);

}  // namespace mlps::results
