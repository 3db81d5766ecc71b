#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/fields.hpp"
#include "gates/probe_file.hpp"
#include "world/world.hpp"

/// Gate CAP-02: checks that all hosts see the same folder. A folder of the same name on every host's own disk would
/// pass every other gate, and the run would measure those disks.
namespace mlps::gates {

/// A file in process 0's folder that the other hosts must find. It is identified without device ids, since network and
/// parallel file systems have a different one on every host.
struct SharedMark {
  std::string name;  ///< below the folder
  uint64_t inode = 0;
  uint64_t size_bytes = 0;
  std::string content;  ///< of a probe file; empty: a file of the data, whose content is not compared
};
constexpr auto fields_of(Of<SharedMark>) {
  return std::tuple(kept("", &SharedMark::name), kept("", &SharedMark::inode), kept("", &SharedMark::size_bytes),
                    kept("", &SharedMark::content));
}
static_assert(lists_every_member<SharedMark>());

/// Creates a mark: a probe file with a random name and content in `model_folder` below `folder`, creating that folder
/// if it is missing. `probe` owns the file. Any failure is E404, as in mlpstorage 3.0.
Result<SharedMark> make_mark(const std::string& folder, const std::string& model_folder,
                             std::vector<std::string>& warnings, std::optional<ProbeFile>& probe);

/// Returns the mark that the existing file `name` of `folder` makes, for a run that writes nothing.
Result<SharedMark> mark_of(const std::string& folder, const std::string& name);

/// Sleeps between two attempts of look_for().
void retry_pause();

/// Checks on another host that `folder` holds the mark. Retries for `patience_ns`, or until `failure` is raised, while
/// the mark is missing. Returns E404 for a missing file, another file or other content, else the system's error;
/// nothing if the mark is there. `first_host` is the host of process 0, for messages.
std::optional<Error> look_for(const SharedMark& mark, const std::string& folder, const std::string& first_host,
                              Nanos patience_ns, const world::Failure& failure,
                              const std::function<void()>& pause = retry_pause);

}  // namespace mlps::gates
