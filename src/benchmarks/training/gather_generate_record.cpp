#include "benchmarks/training/gather_generate_record.hpp"

#include <utility>

#include "run/gather_parts.hpp"

namespace mlps::training {

namespace {

constexpr const char* kDatagenPart = "part of the datagen record";

}  // namespace

world::Bytes pack_part(const GenerateRecord& record) {
  return run::pack_record(kDatagenPart, record);
}

Status merge_parts(GenerateRecord& record, const std::vector<world::Bytes>& sent,
                   const std::vector<world::Member>& members) {
  auto parts = run::unpack_parts<GenerateRecord>(kDatagenPart, sent, members, 0,
                                                 [](const GenerateRecord&) { return std::string(); });
  if (!parts) return fail(std::move(parts.error()));
  run::merge_records(record, std::move(*parts), members);
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
