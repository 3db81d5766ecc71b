#pragma once

#include <exception>
#include <functional>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "results/findings.hpp"
#include "results/metadata.hpp"
#include "results/record_common.hpp"
#include "results/run_context.hpp"
#include "results/run_folder.hpp"

namespace mlps::results {

inline constexpr const char* kRecordFile = "mlpstorage_record.json";
/// Stands in a run folder from the start until everything is written: that of a run that goes on, or was killed.
inline constexpr const char* kIncompleteFile = "INCOMPLETE";

/// Writes files into one folder until something fails, and keeps the first error. For one thread.
class FolderWriter {
 public:
  explicit FolderWriter(std::string path) : path_(std::move(path)) {}

  void write(const std::string& name, const std::string& text, Durability durability = Durability::kRenamed);
  void write_piecewise(const std::string& name, const std::function<Status(const Sink&)>& body);
  void make_folder(const std::string& name);
  void remove(const std::string& name);
  /// Writes the list of the files and their digests, and removes the mark of a run that has not ended: the last step.
  void seal(const RunOutcome& outcome);
  void check(Status status);  ///< takes the error of something that was written elsewhere
  /// Returns whether to write on: nothing has failed, and the end of the run was not interrupted, which fails with
  /// E203.
  bool goes_on(const RunOutcome& outcome);
  Status status() const { return status_; }

 private:
  std::string path_;
  Status status_;
};

/// Fails with E901 unless the snapshot of the options is a JSON object, and the members hold the run's ranks.
Status check_context(const RunContext& context);

/// Writes provenance.json, in closed and open .mlps-code-image with the image that it points to, and begins the
/// description of the system if there is none.
void write_origin(FolderWriter& writer, const RunContext& context);

/// Writes write_origin(), dlio_config/{config,hydra,overrides}.yaml, an empty stderr log, and fs_separation.json if
/// known.
void write_start_files(FolderWriter& writer, const RunContext& context);

/// Writes the record at the end of a run, before everything else, into the room that was kept for it. Where it can't be
/// written it goes to the folder for temporary files, and an error says so.
void write_end_record(FolderWriter& writer, const RunFolder& folder, const RunContext& context,
                      const std::string& record);

/// Writes the stderr log, the facts of all hosts, fs_separation.json if known, and the metadata.
void write_common_files(FolderWriter& writer, const RunContext& context, const RunFacts& facts,
                        const RunOutcome& outcome);

/// Returns the text of INCOMPLETE: what it means, and the process by which to tell a run that goes on from one that was
/// killed.
std::string incomplete_text(const RunContext& context);

/// Writes the files of the start of a run folder: INCOMPLETE, the record, which says "incomplete" until the end, the
/// stdout log with the plan, and write_start_files().
template <class Context, class Record>
void write_begin(FolderWriter& writer, const Context& context, const Record& record, const std::string& plan) {
  writer.write(kIncompleteFile, incomplete_text(context));
  writer.write(kRecordFile, record_json(context, record, std::nullopt), Durability::kDurable);
  writer.write(log_name(context, "stdout"), plan);
  write_start_files(writer, context);
}

/// Writes the files of the end that every benchmark has besides the record: logs, of the plan and the table of results,
/// and write_common_files().
void write_end(FolderWriter& writer, const RunContext& context, const RunFacts& facts, const std::string& tables,
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
