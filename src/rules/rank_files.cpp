#include "rules/rank_files.hpp"

#include <fmt/format.h>

#include <cmath>
#include <map>

#include "base/text.hpp"
#include "rules/evidence.hpp"
#include "rules/rule.hpp"

namespace mlps::rules {
namespace {

constexpr double kTolerance = 1e-6;         // of the value: both are sums of the same doubles, in any order
constexpr double kRoundedTolerance = 1e-3;  // of a rate whose time is rounded

bool agree(double one, double other, double tolerance = kTolerance) {
  return std::abs(one - other) <= tolerance * std::max({1.0, std::abs(one), std::abs(other)});
}

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}
double deviation_of(const std::vector<double>& values) {
  const double mean = mean_of(values);
  double sum = 0;
  for (const double value : values) sum += (value - mean) * (value - mean);
  return std::sqrt(sum / static_cast<double>(values.size()));
}

class FigureCheck {
 public:
  FigureCheck(const Tree& tree, const Leaf& leaf) : tree_(tree), leaf_(leaf), metric_(leaf.summary["metric"]) {}

  std::vector<FigureFinding> training() {
    for (const auto& [list, mean, deviation] :
         {std::tuple{"train_au_percentage", "train_au_mean_percentage", "train_au_stdev_percentage"},
          {"train_throughput_samples_per_second", "train_throughput_mean_samples_per_second",
           "train_throughput_stdev_samples_per_second"}}) {
      const auto values = metric_[list].numbers();
      if (values) compare_statistics(*values, mean, deviation);
    }
    // The figures of bytes are those of samples, times the length of a record.
    const auto record = leaf_.parameters().at("dataset.record_length_bytes").number();
    const auto rates = metric_["train_throughput_samples_per_second"].numbers();
    if (record && rates) {
      std::vector<double> mib;
      for (const double rate : *rates) mib.push_back(rate * *record / static_cast<double>(kMiB));
      compare_statistics(mib, "train_io_mean_MB_per_second", "train_io_stdev_MB_per_second");
    }
    compare_ranks();
    return std::move(found_);
  }

  std::vector<FigureFinding> checkpointing() {
    const std::string name = "0_per_epoch_stats.json";
    if (!leaf_.has_file(name)) return std::move(found_);
    std::map<std::string, std::vector<double>> values;
    const Status read = stream_numbers(path_of(name), [&](const std::vector<std::string>& keys, double value) {
      if (keys.size() == 3) values[keys[1].substr(0, keys[1].find('_')) + "_" + keys[2]].push_back(value);
    });
    if (!read) return unreadable(name, read.error());
    for (const char* kind : {"save", "load"}) {
      const auto figures = [&](const char* key, const char* figure, const char* unit) {
        const auto& list = values[fmt::format("{}_{}", kind, key)];
        if (list.empty()) return;
        compare_statistics(list, fmt::format("{}_checkpoint_{}_mean_{}", kind, figure, unit),
                           fmt::format("{}_checkpoint_{}_stdev_{}", kind, figure, unit));
      };
      figures("throughput", "io", "GB_per_second");
      figures("duration", "duration", "seconds");
    }
    return std::move(found_);
  }

  // The rate of queries from their number and the time, the recall from that of every query, and all that the runner's
  // own statistics have, too.
  std::vector<FigureFinding> vectors() {
    const Node summary = leaf_.summary.root();
    const auto rate = summary["throughput_qps"].number();
    const auto queries =
        summary["query_count"].has_value() ? summary["query_count"].number() : summary["total_queries"].number();
    const auto seconds = summary["total_time_seconds"].number();
    if (rate && queries && seconds && *seconds > 0 && !agree(*rate, *queries / *seconds, kRoundedTolerance)) {
      tell("throughput_qps", *rate, *queries / *seconds, "follows from the queries and the time");
    }
    const Document native = native_search_figures(tree_, leaf_);
    for (const char* key :
         {"throughput_qps", "mean_latency_ms", "p95_latency_ms", "p99_latency_ms", "p999_latency_ms"}) {
      const auto given = summary[key].number();
      const auto measured = native[key].number();
      if (given && measured && !agree(*given, *measured)) tell(key, *given, *measured, "is in the runner's statistics");
    }
    compare_recall(native);
    return std::move(found_);
  }

 private:
  void tell(const std::string& key, double given, double found, const char* why) {
    found_.push_back({true, "summary.json", key, fmt::format("is {:g}; {:g} {}", given, found, why)});
  }

  void compare_recall(const Document& native) {
    const Node recall = leaf_.summary["recall"];
    const auto given = recall.number() ? recall.number() : recall["mean_recall"].number();
    Problems ignored;
    const Document stats = tree_.json(joined(leaf_.place.path, "recall_stats.json"), ignored);
    const auto each = stats["per_query_recall"].numbers();
    const auto found = each                            ? std::optional(mean_of(*each))
                       : stats["mean_recall"].number() ? stats["mean_recall"].number()
                                                       : native.at("recall.mean_recall").number();
    if (given && found && !agree(*given, *found)) tell("recall", *given, *found, "is the mean of the queries");
  }

  std::string path_of(const std::string& name) const { return tree_.absolute(joined(leaf_.place.path, name)); }

  std::vector<FigureFinding> unreadable(const std::string& name, const Error& error) {
    found_.push_back({true, name, "", error.message});
    return std::move(found_);
  }

  void compare(const std::string& key, double computed) {
    const auto given = metric_[key].number();
    if (given && !agree(*given, computed)) {
      found_.push_back({true, "summary.json", "metric." + key, fmt::format("is {:g}; {:g} follows", *given, computed)});
    }
  }
  void compare_statistics(const std::vector<double>& values, const std::string& mean, const std::string& deviation) {
    compare(mean, mean_of(values));
    compare(deviation, deviation_of(values));
  }

  // By epoch and block: the sum over the ranks of what each measured.
  void compare_ranks() {
    const std::vector<std::string> files = leaf_.files_ending("_output.json");
    const auto ranks = leaf_.summary["num_accelerators"].number();
    if (!ranks || files.empty()) return;
    if (static_cast<double>(files.size()) != *ranks) {
      found_.push_back({false, "summary.json", "metric",
                        fmt::format("not recomputed: files of {} of {:g} ranks are there", files.size(), *ranks)});
      return;
    }
    std::map<uint64_t, std::map<std::string, double>> au, throughput;
    for (const std::string& name : files) {
      const Status read = stream_numbers(path_of(name), [&](const std::vector<std::string>& keys, double value) {
        if (keys.size() != 3 || (keys[1] != "au" && keys[1] != "throughput")) return;
        const auto epoch = parse_number<uint64_t>(keys[0]);
        if (epoch) (keys[1] == "au" ? au : throughput)[*epoch][keys[2]] += value;
      });
      if (!read) {
        // A file that was cut because of its size is no result; the rest still is one.
        found_.push_back({false, name, "", "not recomputed: " + read.error().message});
        return;
      }
    }
    compare_list("train_au_percentage", au, *ranks);
    compare_list("train_throughput_samples_per_second", throughput, 1);
  }

  void compare_list(const std::string& key, const std::map<uint64_t, std::map<std::string, double>>& epochs,
                    double share) {
    const auto given = metric_[key].numbers();
    if (!given || given->size() != epochs.size()) return;
    size_t at = 0;
    for (const auto& [epoch, blocks] : epochs) {
      const double value = (*given)[at++];
      if (blocks.size() == 1 && !agree(value, blocks.begin()->second / share)) {
        found_.push_back(
            {true, "summary.json", fmt::format("metric.{}[{}]", key, at - 1),
             fmt::format("is {:g}; the files of the ranks have {:g}", value, blocks.begin()->second / share)});
      }
    }
  }

  const Tree& tree_;
  const Leaf& leaf_;
  Node metric_;
  std::vector<FigureFinding> found_;
};

}  // namespace

std::vector<FigureFinding> check_figures_of(const Tree& tree, std::string_view family, const Leaf& leaf) {
  if (!leaf.summary.is_there()) return {};
  FigureCheck check(tree, leaf);
  if (family == "training") return check.training();
  if (family == "checkpointing") return check.checkpointing();
  if (family == "vector_database") return check.vectors();
  return {};
}

}  // namespace mlps::rules
