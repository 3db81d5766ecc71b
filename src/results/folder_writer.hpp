#pragma once

#include <exception>
#include <functional>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "results/run_context.hpp"
#include "results/run_folder.hpp"

namespace mlps::results {

inline constexpr const char* kRecordFile = "mlpstorage_record.json";

/// Writes files into one folder until something fails, and keeps the first error. For one thread.
class FolderWriter {
 public:
  explicit FolderWriter(std::string path) : path_(std::move(path)) {}

  void write(const std::string& name, const std::string& text, Durability durability = Durability::kRenamed);
  void write_piecewise(const std::string& name, const std::function<Status(const Sink&)>& body);
  void make_folder(const std::string& name);
  Status status() const { return status_; }

 private:
  std::string path_;
  Status status_;
};

/// Fails with E901 unless the snapshot of the options is a JSON object, and the members hold the run's ranks.
Status check_context(const RunContext& context);

/// Writes dlio_config/{config,hydra,overrides}.yaml, an empty stderr log, and fs_separation.json if known.
void write_start_files(FolderWriter& writer, const RunContext& context);

/// Writes the record at the end of a run, before everything else, into the room that was kept for it. Where it can't be
/// written it goes to the folder for temporary files, and an error says so.
void write_end_record(FolderWriter& writer, const RunFolder& folder, const RunContext& context,
                      const std::string& record);

/// Writes the stderr log, the facts of all hosts, fs_separation.json if known, and the metadata.
void write_common_files(FolderWriter& writer, const RunContext& context, const RunFacts& facts,
                        const RunOutcome& outcome);

/// Runs `body` with a writer for `folder`. An exception, thrown when memory runs out or by a defect of this
/// program, comes back as E901.
template <class Body>
Status write_into(const RunFolder& folder, const RunContext& context, Body&& body) {
  if (Status status = check_context(context); !status) return status;
  try {
    FolderWriter writer(folder.path);
    body(writer);
    return writer.status();
  } catch (const std::exception& error) {
    return fail(ErrorCode::kInternal, "write result files in " + folder.path + ": " + error.what());
  }
}

}  // namespace mlps::results
