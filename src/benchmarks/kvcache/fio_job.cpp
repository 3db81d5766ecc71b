#include "benchmarks/kvcache/fio_job.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "benchmarks/kvcache/metrics.hpp"

namespace mlps::kvcache {
namespace {

struct Mix {
  uint64_t read = 0, written = 0;         ///< bytes
  uint64_t entries = 0, entry_bytes = 0;  ///< moved whole
  uint64_t seconds = 0;                   ///< of a window
};

/// Returns the path of a location of files, which may be "direct:///mnt/x".
std::string folder_of_location(const std::string& location) {
  const size_t scheme = location.find("://");
  return scheme == std::string::npos ? location : location.substr(scheme + 3);
}

Mix mix_of(const RunRecord& record, const OptionPlan& option) {
  Mix mix;
  double seconds = 0;
  for (const RankTrial& trial : record.trials) {
    if (trial.option != option.number) continue;
    mix.read += bytes_read(storage_of(trial));
    mix.written += bytes_written(storage_of(trial));
    const TierTraffic& storage = storage_of(trial);
    mix.entries += storage.read_s.size() + storage.write_s.size() + storage.demotion_write_s.size();
    mix.entry_bytes += bytes_read(storage) + bytes_written(storage);
    seconds = std::max(seconds, trial.elapsed_s);
  }
  mix.seconds = std::max<uint64_t>(1, static_cast<uint64_t>(seconds));
  return mix;
}

}  // namespace

std::string fio_job(const RunRecord& record, const OptionPlan& option, const OptionIo& io) {
  const Mix mix = mix_of(record, option);
  const uint64_t moved = mix.read + mix.written;
  const uint64_t read_share = moved == 0 ? 0 : (100 * mix.read + moved / 2) / moved;
  const bool compat = record.settings.io == KvIo::kCompat;
  const uint64_t entries = mix.entries == 0 ? 1 : mix.entries;
  const uint64_t entry = std::max(mix.entry_bytes / entries, io.storage.part_bytes);
  std::string text = fmt::format(
      "; option {} of a kvcache run: {} bytes read and {} written in its windows, in entries of {} on average\n",
      option.number, mix.read, mix.written, entry);
  text += fmt::format("[kvcache-option-{}]\nrw=rw\nrwmixread={}\nbs={}\n", option.number, read_share,
                      io.storage.part_bytes);
  text += fmt::format("filesize={}\nnumjobs={}\niodepth={}\n", entry, io.storage.workers, io.storage.depth);
  // mlpstorage 3.0 syncs each entry, and reads none from the page cache.
  text += compat ? fmt::format("ioengine=psync\ndirect=0\ninvalidate=1\nfsync={}\n",
                               std::max<uint64_t>(1, entry / io.storage.part_bytes))
                 : std::string("ioengine=io_uring\ndirect=1\n");
  text += fmt::format("time_based=1\nruntime={}\nrefill_buffers=1\ngroup_reporting=1\n", mix.seconds);
  text += "percentile_list=50:95:99:99.9:99.99\n";
  if (record.traits.file_system) text += fmt::format("directory={}\n", folder_of_location(record.location));
  return text;
}

}  // namespace mlps::kvcache
