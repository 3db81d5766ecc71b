#pragma once

#include "benchmarks/training/generate.hpp"
#include "benchmarks/training/record.hpp"
#include "results/json_text.hpp"

/// Pieces of the JSON of this program that the plans and records of training share.
namespace mlps::results {

Json run_plan_json(const training::RunPlan& plan);
Json read_plan_json(const training::ReadPlan& reads);
Json write_plan_json(const training::WritePlan& writes);

}  // namespace mlps::results
