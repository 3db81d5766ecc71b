#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <map>

#include "base/text.hpp"
#include "base/units.hpp"
#include "reports/group.hpp"
#include "rules/cache_figures.hpp"
#include "rules/evidence.hpp"
#include "workloads/checkpoint_workload.hpp"

/// What stands in the cells of a row.
namespace mlps::reports {
namespace {

using rules::Leaf;
using rules::Node;
using Runs = std::vector<const Leaf*>;

constexpr double kMibInGib = 1024;

std::string model_name(const std::string& model) {
  static const std::map<std::string, std::string> kNames = {{"unet3d", "Unet3D"},    {"retinanet", "RetinaNet"},
                                                            {"llama3-8b", "8B"},     {"llama3-70b", "70B"},
                                                            {"llama3-405b", "405B"}, {"llama3-1t", "1250B"}};
  const auto found = kNames.find(model);
  return found == kNames.end() ? model : found->second;
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

// Watts of the supplies of one machine; nothing where they aren't described.
std::optional<double> watts_of(const Node& power) {
  const Node supplies = power["psus_configured"];
  if (supplies.size() == 0) return std::nullopt;
  double watts = 0;
  for (size_t i = 0; i < supplies.size(); ++i) {
    const auto each = supplies.item(i)["nameplate_power_watts"].number();
    const auto count = supplies.item(i)["unit_count"].number();
    if (!each || !count) return std::nullopt;
    watts += *each * *count;
  }
  return watts;
}

void fill_power(const Node& system, Row& row) {
  constexpr const char* kColumn = "Provisioned Power (W)";
  if (system["deployment"].text_or("") != "onprem") return row.blank(kColumn, "the deployment is not onprem");
  double sum = 0;
  const Node nodes = system["product_nodes"];
  if (nodes.size() == 0) return row.blank(kColumn, "the description has no product_nodes");
  for (size_t i = 0; i < nodes.size(); ++i) {
    const auto watts = watts_of(nodes.item(i)["chassis"]["power"]);
    const auto count = nodes.item(i)["quantity"].number();
    if (!watts || !count) return row.blank(kColumn, fmt::format("product_nodes[{}] has no power, or no quantity", i));
    sum += *watts * *count;
  }
  for (size_t i = 0; i < system["product_switches"].size(); ++i) {
    const Node one = system["product_switches"].item(i);
    sum += watts_of(one["power"]).value_or(0) * one["unit_count"].number().value_or(0);
  }
  row.set(kColumn, whole(sum));
}

void fill_type(const Node& solution, Row& row) {
  const Node can = solution["capabilities"];
  const auto writes = can["simultaneous_write"].boolean();
  const auto reads = can["simultaneous_read"].boolean();
  const auto location = solution["architecture"]["storage_location"].text();
  const auto product = solution["architecture"]["product_API"].text();
  if (!writes || !reads || !location || !product) {
    return row.blank("Type",
                     "the description lacks simultaneous_write, simultaneous_read, storage_location or product_API");
  }
  row.set("Type", fmt::format("{} {} {}", *writes && *reads ? "Shared" : "Failover",
                              *location == "remote_and_local" ? "remote and local" : *location, *product));
}

void fill_system(const Node& system, Row& row) {
  const Node solution = system["solution"];
  fill_type(solution, row);
  if (const auto api = solution.at("architecture.benchmark_API").text()) {
    row.set("Access Protocol", *api == "file" ? "POSIX" : "S3");
  } else {
    row.blank("Access Protocol", "the description has no benchmark_API");
  }
  if (auto availability = solution["availability"].text()) {
    if (upper(*availability) != *availability)
      *availability = upper(availability->substr(0, 1)) + lower(availability->substr(1));
    row.set("Availability", *availability);
  } else {
    row.blank("Availability", "the description has no availability");
  }
  for (const auto& [column, key] : {std::pair{"RU's", "total_rack_units"},
                                    {"Integrated Client Storage (TiB)", "solution.int_client_store_tib"},
                                    {"Usable Capacity (TiB)", "solution.usable_capacity_tib"}}) {
    const auto value = system.at(key).number();
    if (value) row.set(column, whole(*value));
    if (!value) row.blank(column, fmt::format("the description has no {}", key));
  }
  fill_power(system, row);
}

// The mean over the runs of a scalar of their summaries; nothing where one lacks it.
std::optional<double> mean_of(const Runs& runs, const char* key, double divisor = 1) {
  double sum = 0;
  for (const Leaf* run : runs) {
    const auto value = run->summary.at(key).number();
    if (!value) return std::nullopt;
    sum += *value / divisor;
  }
  return runs.empty() ? std::nullopt : std::optional(sum / static_cast<double>(runs.size()));
}

void fill_first(Row& row, const char* column, const Runs& runs, const char* key) {
  for (const Leaf* run : runs) {
    if (const auto value = run->summary[key].number()) return row.set(column, whole(*value));
  }
  row.blank(column, fmt::format("no summary has {}", key));
}

std::string lacking(const Runs& runs, const char* key) {
  for (const Leaf* run : runs) {
    if (!run->summary.is_there()) return fmt::format("{} has no readable summary.json", run->place.name);
    if (!run->summary.at(key).number()) return fmt::format("{}/summary.json has no number {}", run->place.name, key);
  }
  return "no run counts";
}

void fill_training(const Runs& runs, Row& row) {
  constexpr const char* kRate = "metric.train_io_mean_MB_per_second";
  row.set_or_blank("Training - Read B/W (GiB/s)", mean_of(runs, kRate, kMibInGib), lacking(runs, kRate));
  fill_first(row, "Training - # Client Nodes", runs, "num_hosts");
  fill_first(row, "Training - # Simulated Accelerators", runs, "num_accelerators");
}

std::optional<double> count_of(const Leaf& run, const char* name) {
  const auto merged = run.parameters().at(fmt::format("checkpoint.{}", name)).number();
  return merged ? merged : run.args()[name].number();
}

// The runs that made checkpoints of a kind. Where one doesn't tell, those that have the figure.
Runs producing(const Runs& runs, const char* count, const char* key) {
  const bool all_tell =
      std::all_of(runs.begin(), runs.end(), [&](const Leaf* run) { return count_of(*run, count).has_value(); });
  Runs found;
  for (const Leaf* run : runs) {
    const bool made = all_tell ? *count_of(*run, count) > 0 : run->summary.at(key).number().has_value();
    if (made) found.push_back(run);
  }
  return found;
}

void fill_checkpointing(const Runs& runs, const std::string& model, Row& row) {
  const bool subset = std::any_of(runs.begin(), runs.end(), [](const Leaf* run) {
    return run->parameters().at("checkpoint.mode").text_or("") == "subset" ||
           run->args()["checkpoint_subset"].boolean() == true;
  });
  row.set("Checkpointing - Checkpoint Mode", subset ? "Subset" : "Full");
  fill_first(row, "Checkpointing - # Client Nodes", runs, "num_hosts");
  const auto definition = workloads::load_checkpoint_workload(model, {});
  if (definition) {
    const uint32_t instance = definition->parallelism.tensor * definition->parallelism.pipeline;
    row.set("Checkpointing - DP Instances", definition->closed_processes / instance);
  } else {
    row.blank("Checkpointing - DP Instances", fmt::format("{} is no model of checkpointing", model));
  }
  for (const auto& [column, count, key] :
       {std::tuple{"Checkpointing - Write B/W (GiB/s)", "num_checkpoints_write",
                   "metric.save_checkpoint_io_mean_GB_per_second"},
        {"Checkpointing - Write Duration (secs)", "num_checkpoints_write",
         "metric.save_checkpoint_duration_mean_seconds"},
        {"Checkpointing - Read B/W (GiB/s)", "num_checkpoints_read", "metric.load_checkpoint_io_mean_GB_per_second"},
        {"Checkpointing - Read Duration (secs)", "num_checkpoints_read",
         "metric.load_checkpoint_duration_mean_seconds"}}) {
    const Runs made = producing(runs, count, key);
    row.set_or_blank(column, mean_of(made, key), lacking(made, key));
  }
}

// Returns the first of the documents' values that there is.
Node first_of(std::initializer_list<Node> nodes) {
  for (const Node& node : nodes) {
    if (node.has_value()) return node;
  }
  return {};
}

void fill_vectors(const rules::Tree& tree, const Runs& runs, const std::string& model, Row& row) {
  const Leaf& run = *runs.front();
  rules::Problems ignored;
  const rules::Document native = rules::native_search_figures(tree, run);
  const rules::Document recalls = tree.json(run.place.path + "/recall_stats.json", ignored);
  const auto figure = [&](const char* key) { return first_of({run.summary.at(key), native.at(key)}); };
  const auto fact = [&](const char* key) {
    return first_of({run.summary[key], run.parameters()[key], run.args()[key]});
  };
  const auto hosts = first_of({figure("disk_io.host_count"), run.args()["num_client_hosts"]}).number();
  const double named = static_cast<double>(run.args()["hosts"].size());
  row.set("VDB - # Client Nodes", whole(hosts ? *hosts : named > 0 ? named : 1));
  for (const auto& [column, key] :
       {std::pair{"VDB - Vector Count", "num_vectors"}, {"VDB - Vector Dimension", "dimension"}}) {
    const auto value = fact(key).number();
    if (value) row.set(column, whole(*value));
    if (!value) row.blank(column, fmt::format("{} has no {}", run.place.name, key));
  }
  row.set("VDB - Index Type", fact("index_type").text_or(model.substr(model.find('/') + 1)));
  row.set_or_blank("VDB - Queries per Sec", figure("throughput_qps").number(),
                   run.place.name + " has no throughput_qps");
  row.set_or_blank("VDB - Query Latency (ms)", figure("p99_latency_ms").number(),
                   run.place.name + " has no p99_latency_ms");
  const Node recall = figure("recall");
  auto share = recall.is_object() ? recall["mean_recall"].number() : recall.number();
  if (!share) share = recalls["mean_recall"].number();
  row.set_or_blank("VDB - Recall Percentage", share ? std::optional(*share * 100) : std::nullopt,
                   run.place.name + " has no recall");
  const auto rate = figure("disk_io.total_bytes_read_per_sec").number();
  row.set_or_blank("VDB - Read B/W (GiB/s)", rate ? std::optional(*rate / static_cast<double>(kGiB)) : std::nullopt,
                   run.place.name + " has no disk_io.total_bytes_read_per_sec");
  const auto reads = figure("disk_io.read_iops").number();
  const auto writes = figure("disk_io.write_iops").number();
  row.set_or_blank("VDB - Storage IOPs", reads && writes ? std::optional(*reads + *writes) : std::nullopt,
                   run.place.name + " has no disk_io.read_iops and write_iops");
}

void fill_cache(const rules::Tree& tree, const rules::Workload& workload, const Runs& runs, Row& row) {
  const Leaf& run = *runs.front();
  const auto hosts = run.summary["host_count"].number();
  if (hosts) row.set("KVCache - # Client Nodes", whole(*hosts));
  if (!hosts) row.blank("KVCache - # Client Nodes", run.place.name + " has no host_count");
  for (const auto& [option, name] : {std::pair{"1", "llama3.1-8b Storage Only"},
                                     {"2", "llama3.1-8b Storage + Mem"},
                                     {"3", "llama3.1-70b Storage Only"}}) {
    const Node figures = run.summary["options"][option];
    for (const auto& [column, key] : {std::pair{"Throughput (tok/s)", "aggregated_avg_throughput_tokens_per_sec"},
                                      {"Read B/W (GiB/s)", "aggregated_read_bandwidth_gbps"},
                                      {"Write B/W (GiB/s)", "aggregated_write_bandwidth_gbps"},
                                      {"P95 Read Latency (ms)", "aggregated_storage_read_p95_ms"}}) {
      auto value = figures[key].number();
      if (!value && std::string_view(column).starts_with("P95"))
        value = rules::highest_read_p95(rules::cache_ranks_of(tree, workload, run), option);
      row.set_or_blank(fmt::format("KVCache {} - {}", name, column), value,
                       fmt::format("{} has no {} of option {}", run.place.name, key, option));
    }
  }
}

const char* prefix_of(const std::string& family) {
  if (family == "training") return "Training";
  if (family == "checkpointing") return "Checkpointing";
  return family == "kv_cache" ? "KVCache" : "VDB";
}

void fill_links(const rules::Tree& tree, const rules::Workload& workload, Group& group) {
  const std::string prefix = prefix_of(workload.place.family);
  group.row.link(prefix + " - Logs", "logs", group.folder() + "/");
  for (const Leaf& leaf : workload.leaves) {
    if (leaf.place.command != group.command || leaf.pointer.size() < 20) continue;
    const std::string image = "code-" + leaf.pointer.substr(leaf.pointer.find(':') + 1, 8) + "/";
    const bool is_shared = tree.has("code-images/" + image);
    return group.row.link(prefix + " - Code", "code",
                          (is_shared ? "code-images" : workload.place.orgname) + "/" + image);
  }
  group.row.blank(prefix + " - Code", "no run has .mlps-code-image");
}

}  // namespace

void fill_identity(const rules::Tree& tree, const rules::Workload& workload, Group& group) {
  const rules::WorkloadPlace& place = workload.place;
  Row& row = group.row;
  row.set("Organization", place.orgname);
  row.set("Division", upper(place.division));
  row.set("Benchmark Type", place.family);
  if (place.family == "training" || place.family == "checkpointing") row.set("Model", model_name(place.model));
  const std::string about = fmt::format("{}/{}/systems/{}", place.division, place.orgname, place.system);
  row.link("Name", place.system, about + ".yaml");
  row.link("Description", "PDF", about + ".pdf");
  if (workload.system.is_there()) {
    fill_system(workload.system["system_under_test"], row);
  } else {
    for (const char* column :
         {"Type", "Access Protocol", "Availability", "RU's", "Usable Capacity (TiB)", "Provisioned Power (W)"}) {
      row.blank(column, about + ".yaml is missing or unreadable");
    }
  }
  fill_links(tree, workload, group);
}

void fill_figures(const rules::Tree& tree, const rules::Workload& workload, const Runs& runs, Group& group) {
  if (runs.empty()) {
    group.withheld = "no run counts";
    return;
  }
  const std::string& family = group.place.family;
  if (family == "training") return fill_training(runs, group.row);
  if (family == "checkpointing") return fill_checkpointing(runs, group.place.model, group.row);
  if (family == "kv_cache") return fill_cache(tree, workload, runs, group.row);
  fill_vectors(tree, runs, group.place.model, group.row);
}

}  // namespace mlps::reports
