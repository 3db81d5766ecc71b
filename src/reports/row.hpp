#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"

/// The tables of results: one row for each group of runs that is published as one result.
namespace mlps::reports {

/// The columns of the tables, in their order.
inline constexpr std::array<std::string_view, 55> kColumns = {
    "Public ID",
    "Organization",
    "Division",
    "Benchmark Type",
    "Model",
    "Name",
    "Description",
    "Type",
    "Access Protocol",
    "Availability",
    "RU's",
    "Integrated Client Storage (TiB)",
    "Usable Capacity (TiB)",
    "Provisioned Power (W)",
    "Training - Accelerator Type",
    "Training - # Client Nodes",
    "Training - Code",
    "Training - Logs",
    "Training - # Simulated Accelerators",
    "Training - Read B/W (GiB/s)",
    "Checkpointing - Checkpoint Mode",
    "Checkpointing - # Client Nodes",
    "Checkpointing - DP Instances",
    "Checkpointing - Code",
    "Checkpointing - Logs",
    "Checkpointing - Write B/W (GiB/s)",
    "Checkpointing - Write Duration (secs)",
    "Checkpointing - Read B/W (GiB/s)",
    "Checkpointing - Read Duration (secs)",
    "VDB - # Client Nodes",
    "VDB - Code",
    "VDB - Logs",
    "VDB - Vector Count",
    "VDB - Vector Dimension",
    "VDB - Index Type",
    "VDB - Queries per Sec",
    "VDB - Query Latency (ms)",
    "VDB - Recall Percentage",
    "VDB - Storage IOPs",
    "VDB - Read B/W (GiB/s)",
    "KVCache - # Client Nodes",
    "KVCache - Code",
    "KVCache - Logs",
    "KVCache llama3.1-8b Storage Only - Throughput (tok/s)",
    "KVCache llama3.1-8b Storage Only - Read B/W (GiB/s)",
    "KVCache llama3.1-8b Storage Only - Write B/W (GiB/s)",
    "KVCache llama3.1-8b Storage Only - P95 Read Latency (ms)",
    "KVCache llama3.1-8b Storage + Mem - Throughput (tok/s)",
    "KVCache llama3.1-8b Storage + Mem - Read B/W (GiB/s)",
    "KVCache llama3.1-8b Storage + Mem - Write B/W (GiB/s)",
    "KVCache llama3.1-8b Storage + Mem - P95 Read Latency (ms)",
    "KVCache llama3.1-70b Storage Only - Throughput (tok/s)",
    "KVCache llama3.1-70b Storage Only - Read B/W (GiB/s)",
    "KVCache llama3.1-70b Storage Only - Write B/W (GiB/s)",
    "KVCache llama3.1-70b Storage Only - P95 Read Latency (ms)"};

/// Holds the cells of a row by column, and why those are blank that its benchmark should fill.
class Row {
 public:
  /// Fills a cell. `column` is one of kColumns.
  void set(std::string_view column, Json value) { cells_[std::string(column)] = std::move(value); }
  void link(std::string_view column, std::string_view text, const std::string& href) {
    set(column, {{"text", text}, {"href", href}});
  }
  void blank(std::string_view column, std::string reason) { blanks_[std::string(column)] = std::move(reason); }
  /// Fills a cell, or leaves it blank for that reason.
  void set_or_blank(std::string_view column, const std::optional<double>& value, std::string reason);

  const Json* find(std::string_view column) const;
  const std::map<std::string, std::string>& blanks() const { return blanks_; }
  /// Returns whether a cell of a benchmark's own columns is filled that is neither Code nor Logs.
  bool has_figures(std::string_view prefix) const;

  Json json() const;        ///< all columns in their order; "" where a cell is blank
  std::string csv() const;  ///< one line without its end

 private:
  std::map<std::string, Json> cells_;
  std::map<std::string, std::string> blanks_;
};

/// Returns a number that is a count without a fraction.
Json whole(double value);

/// Return a table of rows: an array of flat objects, or a header and a line for each.
std::string table_json(const std::vector<const Row*>& rows);
std::string table_csv(const std::vector<const Row*>& rows);

}  // namespace mlps::reports
