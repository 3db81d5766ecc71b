#include "benchmarks/training/gather_generate_record.hpp"

#include <algorithm>
#include <utility>

#include "run/gather_parts.hpp"

namespace mlps::training {

using run::HostPart;

/// What of a record differs from host to host, and does not stand in the host's entry.
struct GeneratePart {
  run::HostPart host;
  Stamp invocation_start;
  uint64_t files_written = 0, files_kept = 0, files_repaired = 0;
  uint64_t bytes_planned = 0, bytes_kept = 0;
  io::Stats stats;
  double seconds = 0;
  std::vector<std::string> reasons;
};

template <class Archive, world::Is<GeneratePart> P>
void fields(Archive& archive, P& part) {
  archive(part.host, part.invocation_start, part.files_written, part.files_kept, part.files_repaired,
          part.bytes_planned, part.bytes_kept, part.stats, part.seconds, part.reasons);
}

namespace {

constexpr const char* kDatagenPart = "part of the datagen record";

/// The record without anything of any part.
void clear(GenerateRecord& record) {
  record.files_written = record.files_kept = record.files_repaired = 0;
  record.bytes_planned = record.bytes_kept = 0;
  record.stats = {};
  record.seconds = record.cpu_user_s = record.cpu_system_s = 0;
  record.peak_rss_bytes = 0;
  record.hosts.clear();
  record.reasons.clear();
  record.error.reset();
}

void add(GenerateRecord& whole, GeneratePart part, const world::Member& member, const std::string& whose) {
  run::HostPart& host = part.host;
  place(host, member, whole.invocation_start, part.invocation_start);
  whole.files_written += part.files_written;
  whole.files_kept += part.files_kept;
  whole.files_repaired += part.files_repaired;
  whole.bytes_planned += part.bytes_planned;
  whole.bytes_kept += part.bytes_kept;
  merge(whole.stats, part.stats);
  whole.seconds = std::max(whole.seconds, part.seconds);
  whole.cpu_user_s += host.cpu_user_s;
  whole.cpu_system_s += host.cpu_system_s;
  whole.peak_rss_bytes = std::max(whole.peak_rss_bytes, host.peak_rss_bytes);
  run::add_reasons(part.reasons, whose, whole.reasons);
  whole.hosts.push_back(std::move(host));
}

}  // namespace

world::Bytes pack_part(const GenerateRecord& record) {
  const run::HostPart host = record.hosts.empty() ? run::HostPart() : record.hosts.front();  // none: it did not run
  return world::pack(kDatagenPart, GeneratePart{host, record.invocation_start, record.files_written, record.files_kept,
                                                record.files_repaired, record.bytes_planned, record.bytes_kept,
                                                record.stats, record.seconds, record.reasons});
}

Status merge_parts(GenerateRecord& record, const std::vector<world::Bytes>& sent,
                   const std::vector<world::Member>& members) {
  auto parts = run::unpack_parts<GeneratePart>(kDatagenPart, sent, members, 0);
  if (!parts) return fail(std::move(parts.error()));
  clear(record);
  for (uint32_t process = 0; process < parts->size(); ++process) {
    add(record, std::move((*parts)[process]), members[process], run::process_name(members, process));
  }
  judge_generation(record, record.files);
  return {};
}

Status gather_record(GenerateRecord& record, world::Transport& transport) {
  if (transport.size() == 1) return {};
  Status gathered = run::gather_parts(record, transport);
  if (!gathered) run::stay_a_share(record, gathered.error(), transport);
  return gathered;
}

}  // namespace mlps::training
