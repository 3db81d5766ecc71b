#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "rules/document.hpp"

/// What a report shows of one run, taken from its record. Nothing here knows how it is drawn.
namespace mlps::reports::page {

/// Holds what a record may lack, and then the reason in words: nothing that is unknown is ever drawn as 0.
template <class T>
using Known = tl::expected<T, std::string>;
inline tl::unexpected<std::string> unknown(std::string why) {
  return tl::unexpected<std::string>(std::move(why));
}

/// Seconds after the start of the run.
struct Stretch {
  double from_s = 0, to_s = 0;
};

struct Segment {
  Stretch when;
  double bytes_per_s = 0;
  bool writes = false;
};

/// An epoch, a checkpoint, an option, a pause; or a demand of so many bytes per second.
struct Band {
  Stretch when;
  std::string label;
  double bytes_per_s = 0;
};

struct Retries {
  double at_s = 0;
  double count = 0;
};

struct Timeline {
  std::string what;     ///< "bytes read in every second"
  bool parted = false;  ///< reads and writes are told apart
  std::vector<Segment> segments;
  std::vector<Band> bands;
  std::vector<Band> pauses;
  Known<std::vector<Band>> demand;
  Known<std::vector<Retries>> retries;
};

struct Bar {
  std::string label;
  std::optional<double> value;  ///< nothing: not known
  unsigned series = 1;          ///< of the legend, from 1
};

struct Bars {
  std::string title;
  std::string unit;  ///< "%", or "B/s" for rates
  std::vector<Bar> bars;
  std::vector<std::string> series;
  std::optional<double> threshold;
};

struct Share {
  std::string name;
  double share = 0;
  unsigned series = 1;  ///< of the colours, from 1 to 8
};

/// Says where the time of accelerators or of threads went; the shares add up to 1.
struct TimeStack {
  std::string name;
  std::vector<Share> shares;
};

/// Holds the share of operations, up to 1, that took so many nanoseconds at most.
struct Latency {
  std::string name;
  double count = 0;
  std::vector<std::pair<double, double>> curve;
  std::optional<double> p50_ns, p99_ns, p999_ns, max_ns;
  unsigned series = 0;  ///< of the colours, from 1; 0: by its place among the others
};

/// Holds a value for each of some ranks in each of some epochs, checkpoints or trials.
struct HeatMap {
  std::string title;
  std::string unit;  ///< "%", "1/s" for counts, or "B/s" for rates; more is better
  std::vector<std::string> rows, columns;
  std::vector<std::optional<double>> values;  ///< row by row
};

/// Says of one direction what was moved by the program, by the kernel's counters, and by the page cache.
struct Moved {
  std::string direction;
  double claimed = 0;
  std::optional<double> counted;
  std::optional<double> cached;
};

struct MovedBytes {
  std::vector<Moved> directions;
  std::vector<std::string> remarks;  ///< what is not known, and why
};

/// Says what a KV cache was asked for in one trial, and what it did in time; requests per second.
struct LoadPoint {
  std::string label;
  double offered = 0, completed = 0;
  std::optional<double> good;
  unsigned series = 1;
};

/// Says what searches of one effort, or of one window, found and did.
struct RecallPoint {
  std::string label;
  double recall = 0;  ///< up to 1
  double queries_per_s = 0;
  std::optional<double> reads;  ///< of a query; nothing: not told
};

struct RecallCurve {
  std::vector<RecallPoint> sweep;    ///< efforts that were tried, with one worker
  std::vector<RecallPoint> windows;  ///< measured, with all workers
  std::vector<double> targets;
};

struct HitSource {
  std::string name;
  double hits = 0, misses = 0;
};

struct Setting {
  std::string key, value, source;
};

struct SettingGroup {
  std::string title;
  std::vector<Setting> settings;
};

struct Table {
  std::string title;
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
  std::string rest;  ///< what was left out
};

/// One of the few figures that stand first.
struct KeyFigure {
  std::string label, value, remark;
};

/// A line of the answer: a label, and phrases of which the first say most; where there is no room, the last are left
/// out.
struct AnswerLine {
  std::string label;
  std::vector<std::string> phrases;
  unsigned most_lines = 1;  ///< of text
};

enum class Tone { kNeutral, kGood, kBad };

struct RunView {
  std::string title;     ///< "U-Net3D training, 8 x b200"
  std::string subtitle;  ///< organisation, system, mode, time
  std::string folder;
  std::string verdict;
  Tone verdict_tone = Tone::kNeutral;
  std::string answer;  ///< what the run says about the storage: "NOT ENOUGH for 8 x b200 on unet3d"
  std::string aside;   ///< how much of the plan was done: "complete: 5 epochs x 500 steps"
  Tone answer_tone = Tone::kNeutral;
  std::string feeds;              ///< how many accelerators it feeds; only said where the answer is about a storage
  std::vector<AnswerLine> lines;  ///< the figures behind it, and once it is settled all that stands below it
  std::string limit;              ///< what limited it
  std::vector<std::string> limit_details;  ///< latencies, threads, ranks
  std::vector<std::string> sure;           ///< how much epochs, checkpoints, trials differ
  std::optional<double> client_share;      ///< of the time, in which the storage waited for this client
  std::optional<double> cached_share;      ///< of what was read, the most that is known of any part of the run
  std::vector<std::string> mlperf;         ///< figures by their names in the rules
  std::string next;                        ///< what to do now
  std::vector<std::pair<std::string, std::vector<std::string>>> notes;  ///< reasons, caveats, warnings
  std::vector<KeyFigure> key_figures;
  Known<Timeline> timeline = unknown("");
  Known<Bars> bars = unknown("");  ///< AU of the epochs, rates of the checkpoints
  Known<std::vector<TimeStack>> time = unknown("");
  Known<std::vector<Latency>> latencies = unknown("");
  std::vector<Known<HeatMap>> heat_maps;
  Known<MovedBytes> moved = unknown("");
  std::optional<Known<std::vector<LoadPoint>>> load;  ///< nothing: of this benchmark there is none
  std::optional<Known<std::vector<HitSource>>> hits;
  std::optional<Known<RecallCurve>> recall;
  std::vector<Table> tables;  ///< further figures, hosts
  std::vector<SettingGroup> settings;
  std::string command;
  std::string tool;
};

/// Returns what a report shows of the run with this record. E102 for the record of a command that no report is made of,
/// or of something else. Of a record that holds what it should not, parts are unknown.
Result<RunView> view_of(const rules::Document& record);

/// Completes the answer by what all benchmarks have: a run without a result, without a storage, or of memory can't look
/// good; kernel counters, retries, warnings, folder, and what to do next become lines.
void settle_answer(rules::Node record, RunView& view);

/// Fill in what is special about the record of one benchmark.
void view_training(rules::Node record, RunView& view);
void view_datagen(rules::Node record, RunView& view);
void view_checkpointing(rules::Node record, RunView& view);
void view_kvcache(rules::Node record, RunView& view);
void view_vectordb(rules::Node record, RunView& view);
void view_vector_load(rules::Node record, RunView& view);  ///< of a vectordb datagen

}  // namespace mlps::reports::page
