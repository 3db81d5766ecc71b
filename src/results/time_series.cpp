#include "results/time_series.hpp"

#include <algorithm>
#include <exception>
#include <optional>

#include "results/json_text.hpp"
#include "results/piece_spool.hpp"
#include "results/run_hosts.hpp"
#include "results/series_stream.hpp"
#include "run/host_part.hpp"
#include "world/gather_pieces.hpp"

namespace mlps::results {
namespace {

/// What process 0 has got of the series. A piece that can't be kept is dropped, and so are those after it: the others
/// must not wait, and a run does not fail for its time series.
class Collector {
 public:
  Collector(const std::string& folder, const std::vector<world::Member>& members)
      : members_(members), heads_(members.size()) {
    auto spool = PieceSpool::create(folder, members.size());
    if (spool) {
      spool_.emplace(std::move(*spool));
    } else {
      status_ = fail(std::move(spool.error()));
    }
  }

  void take(uint32_t process, std::string_view piece) {
    if (!status_) return;
    std::optional<SeriesHead>& head = heads_[process];
    if (head) {
      status_ = spool_->append(process, piece);
      return;
    }
    auto unpacked = unpack_series_head(run::process_name(members_, process), piece);
    if (unpacked) {
      head = std::move(*unpacked);
    } else {
      status_ = fail(std::move(unpacked.error()));
    }
  }

  const Status& status() const { return status_; }
  /// By process; absent for those that had nothing to say.
  const std::vector<std::optional<SeriesHead>>& heads() const { return heads_; }
  Status samples(size_t process, const Sink& sink) const { return spool_->read(process, sink); }

 private:
  const std::vector<world::Member>& members_;
  Status status_;
  std::optional<PieceSpool> spool_;
  std::vector<std::optional<SeriesHead>> heads_;
};

/// All heads as one.
struct Whole {
  SeriesHead head;
  std::vector<std::string> hosts;
};

Whole whole_of(const Collector& collected) {
  Whole whole;
  SeriesHead& all = whole.head;
  for (const auto& head : collected.heads()) {
    if (!head) continue;
    const bool is_first = whole.hosts.empty();
    all.requested_interval_s = head->requested_interval_s;
    all.interval_s = std::max(all.interval_s, head->interval_s);
    all.start_us = is_first ? head->start_us : std::min(all.start_us, head->start_us);
    all.end_us = is_first ? head->end_us : std::max(all.end_us, head->end_us);
    all.samples += head->samples;
    all.samples_taken += head->samples_taken;
    all.cost_ns += head->cost_ns;
    whole.hosts.push_back(head->host);
  }
  return whole;
}

Json head_json(const SeriesHead& head) {
  Json json;
  json["collection_interval_seconds"] = head.interval_s;
  json["start_time"] = iso_utc_us(head.start_us);
  json["end_time"] = iso_utc_us(head.end_us);
  json["num_samples"] = head.samples;
  return json;
}

Json tail_json(const RunContext& context, const Whole& whole, size_t processes) {
  const SeriesHead& head = whole.head;
  Json json;
  json["collection_method"] = collection_method(processes);
  json["hosts_requested"] = host_names(context);
  json["hosts_collected"] = whole.hosts;
  json["requested_interval_seconds"] = head.requested_interval_s;
  json["samples_taken"] = head.samples_taken;
  json["mean_sample_cpu_us"] = static_cast<double>(head.cost_ns) / 1e3 / static_cast<double>(head.samples_taken);
  if (head.interval_s > head.requested_interval_s) {
    json["note"] =
        "more samples than are kept: every second one was dropped and the interval doubled, as often as needed";
  }
  return json;
}

// The members of an object, without its braces.
std::string members(const Json& json) {
  const std::string text = json.dump();
  return text.substr(1, text.size() - 2);
}

Status write_text(const RunContext& context, const Collector& collected, const Whole& whole, const Sink& sink) {
  std::string before = "{" + members(head_json(whole.head)) + ",\n\"samples_by_host\":{";
  for (size_t process = 0; process < collected.heads().size(); ++process) {
    const auto& head = collected.heads()[process];
    if (!head) continue;
    if (Status status = sink(before + Json(head->host).dump() + ":["); !status) return status;
    if (Status status = collected.samples(process, sink); !status) return status;
    before = "\n],\n";
  }
  return sink("\n]},\n" + members(tail_json(context, whole, collected.heads().size())) + "}\n");
}

Result<TimeSeriesFile> write_collected(const RunFolder& folder, const RunContext& context, const Collector& collected) {
  if (!collected.status()) return fail(collected.status().error());
  const Whole whole = whole_of(collected);
  TimeSeriesFile file;
  file.name = context.benchmark + "_" + context.run_datetime + "_timeseries.json";
  file.samples = whole.head.samples;
  file.interval_s = whole.head.interval_s;
  file.hosts = whole.hosts;
  const std::string path = folder.path + "/" + file.name;
  try {
    const Status written = write_file_piecewise(
        path, [&](const Sink& sink) { return write_text(context, collected, whole, sink); }, Durability::kRenamed);
    if (!written) return fail(written.error());
  } catch (const std::exception& error) {
    return fail(ErrorCode::kInternal, "write " + path + ": " + error.what());
  }
  return file;
}

}  // namespace

Result<TimeSeriesFile> gather_time_series(const RunFolder& folder, const RunContext& context,
                                          const world::TimeSeries& mine, world::Transport& transport) {
  SeriesStream stream(mine, transport.members(), transport.index());
  Collector collected(folder.path, transport.members());
  const Status gathered = world::gather_pieces(
      transport, [&] { return stream.next(); },
      [&](uint32_t process, std::string_view piece) -> Status {
        collected.take(process, piece);
        return {};
      });
  if (!gathered) return fail(gathered.error());
  return write_collected(folder, context, collected);
}

Status send_time_series(const world::TimeSeries& mine, world::Transport& transport) {
  SeriesStream stream(mine, transport.members(), transport.index());
  return world::gather_pieces(
      transport, [&] { return stream.next(); }, [](uint32_t, std::string_view) -> Status { return {}; });
}

Result<TimeSeriesFile> write_time_series(const RunFolder& folder, const RunContext& context,
                                         const world::TimeSeries& mine) {
  const std::vector<world::Member> alone = {{context.members.front().host, context.members.front().pid, {}}};
  SeriesStream stream(mine, alone, 0);
  Collector collected(folder.path, alone);
  for (world::Bytes piece = stream.next(); !piece.empty(); piece = stream.next()) collected.take(0, piece);
  return write_collected(folder, context, collected);
}

}  // namespace mlps::results
