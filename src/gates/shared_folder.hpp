#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/fields.hpp"
#include "gates/probe_file.hpp"
#include "world/world.hpp"

/// Gate CAP-02: checks that all hosts see the same folder. A folder of the same name on every host's own disk would
/// pass every other gate, and the run would measure those disks.
namespace mlps::gates {

/// A file in process 0's folder that the other hosts must find. A probe file is identified by its random content alone,
/// since clients of network and parallel file systems may number devices and files differently on every host.
struct SharedMark {
  std::string name;  ///< below the folder
  uint64_t inode = 0;
  uint64_t size_bytes = 0;
  std::string content;  ///< of a probe file; empty: a file of the data, which may be alike on disks of their own
};
constexpr auto fields_of(Of<SharedMark>) {
  return std::tuple(kept("", &SharedMark::name), kept("", &SharedMark::inode), kept("", &SharedMark::size_bytes),
                    kept("", &SharedMark::content));
}
static_assert(lists_every_member<SharedMark>());

/// Creates a mark: a probe file with a random name and content in `folder`. `probe` owns the file. Any failure is E404,
/// as in mlpstorage 3.0.
Result<SharedMark> make_mark(const std::string& folder, std::vector<std::string>& warnings,
                             std::optional<ProbeFile>& probe);

/// Returns the mark that the existing file `name` of `folder` makes, for a run that writes nothing.
Result<SharedMark> mark_of(const std::string& folder, const std::string& name);

/// Returns whether the clients of a file system number its files as one; those of FUSE may not.
bool numbers_files_alike(std::string_view file_system);

/// Sleeps between two attempts of look_for().
void retry_pause();

/// Checks on another host that `folder` holds the mark. Retries for `patience_ns`, or until `failure` is raised, while
/// the mark is missing. Returns E404 for a missing file, another size or other content, else the system's error;
/// nothing if the mark is there. A file of the data with another inode number is E404 too, since it is a copy, or a
/// warning where that proves nothing.
/// `first_host` is the host of process 0, for messages.
std::optional<Error> look_for(const SharedMark& mark, const std::string& folder, const std::string& first_host,
                              Nanos patience_ns, const world::Failure& failure, std::vector<std::string>& warnings,
                              const std::function<void()>& pause = retry_pause);

}  // namespace mlps::gates
