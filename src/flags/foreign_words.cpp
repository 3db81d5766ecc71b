#include "flags/foreign_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"

namespace mlps::cli {
namespace {

struct ForeignWord {
  std::string_view words;  ///< that mean the same, with blanks between them
  std::string_view tool;
  std::string_view here;
};

constexpr auto kForeignWords = std::to_array<ForeignWord>({
    {"rw readwrite", "fio", "the workload decides what is read and written"},
    {"bs blocksize block", "fio and elbencho", "--io-part-size"},
    {"iodepth", "fio and elbencho", "--io-depth, for each of --io-workers"},
    {"numjobs thread threads", "fio and elbencho",
     "--io-workers for I/O threads; ranks are --num-accelerators, --num-processes"},
    {"directory filename", "fio", "--data-dir, --checkpoint-folder, --cache-dir or --storage-root, by the benchmark"},
    {"direct", "fio and elbencho", "--o-direct, or a folder direct:///path"},
    {"ioengine", "fio", "nothing to choose: io_uring where the kernel has it, else pread; --dry-run shows which"},
    {"size filesize", "fio and elbencho", "--params dataset.num_files_train=N, or --size-scale F of checkpoints"},
    {"files dirs nrfiles", "fio and elbencho", "--params dataset.num_files_train=N"},
    {"time_based timelimit", "fio and elbencho", "--duration, --runtime, or --params train.epochs=N, by the benchmark"},
    {"time", "runs of epochs and of checkpoints", "--duration or --runtime: a window takes so long"},
    {"until-stable", "runs of epochs and of checkpoints",
     "a longer --duration with more --trials, or a longer --runtime: the answer says how much they differ"},
    {"ramp_time", "fio", "--warmup where there is one; the first step of an epoch is left out by itself"},
    {"name", "fio", "--label"},
    {"group_reporting", "fio", "nothing: results are of all ranks together"},
    {"output-format json jsonfile", "fio and elbencho",
     "--json; the run folder has mlpstorage_record.json in any case"},
    {"csvfile", "elbencho", "--csv FILE; mlpstorage reports reportgen writes results.csv, too"},
    {"livecsv livejson", "elbencho", "--live-json FILE"},
    {"fsync end_fsync", "fio", "nothing: what is written is made durable, and the time of that counts"},
    {"dropcache dropcaches invalidate", "fio and elbencho",
     "nothing: pages are dropped and what stays is measured; --o-direct goes past them"},
    {"s3endpoints endpoint", "elbencho and s3dlio", "the variable AWS_ENDPOINT_URL"},
    {"s3key access-key", "elbencho and warp", "the variable AWS_ACCESS_KEY_ID, or AWS_PROFILE"},
    {"s3secret secret-key", "elbencho and warp", "the variable AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"},
    {"s3region region", "elbencho and warp", "the variable AWS_REGION"},
    {"bucket", "warp", "the place: s3://bucket/prefix"},
    {"concurrent", "warp", "--io-workers times --io-depth"},
    {"obj.size", "warp", "--io-part-size for parts; the workload decides the size of objects"},
    {"autoterm", "warp", "mlpstorage try keeps to its --time"},
    {"delfiles deldirs delete", "elbencho", "--cleanup of a run, or mlpstorage object rm -r LOCATION"},
    {"lat latpercent lathisto percentiles", "fio and elbencho", "nothing: the record and the report have p50 to p99.9"},
    {"mixed get put stat bench benchmark mdtest ior", "warp and others",
     "mlpstorage try PLACE, or mlpstorage examples"},
});

}  // namespace

std::string foreign_hint(std::string_view typed) {
  std::string_view word = typed.substr(std::min(typed.find_first_not_of('-'), typed.size()));
  word = word.substr(0, word.find('='));
  for (const ForeignWord& row : kForeignWords) {
    const std::vector<std::string> words = split(row.words, " ");
    if (std::find(words.begin(), words.end(), word) != words.end())
      return fmt::format("of {}; here: {}", row.tool, row.here);
  }
  return {};
}

}  // namespace mlps::cli
