#include <algorithm>
#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include "base/text.hpp"
#include "benchmarks/vectordb/results/official.hpp"

namespace mlps::results {
namespace {

constexpr auto kNetworkTypes = std::to_array<std::string_view>(
    {"nfs",       "nfs4",         "cifs",      "smb3",       "smbfs",          "ceph",      "cephfs",
     "glusterfs", "lustre",       "gpfs",      "beegfs",     "panfs",          "ocfs2",     "afs",
     "9p",        "virtiofs",     "davfs",     "fuse.sshfs", "fuse.glusterfs", "fuse.ceph", "fuse.juicefs",
     "fuse.s3fs", "fuse.gcsfuse", "fuse.weka", "fuse.beeond"});

struct MountLine {
  std::string source, point, type;
};

/// Returns a field of /proc/self/mounts with its blanks and tabs.
std::string decoded(std::string_view field) {
  std::string text;
  for (size_t i = 0; i < field.size(); ++i) {
    const std::string_view rest = field.substr(i);
    const bool blank = rest.starts_with("\\040"), tab = rest.starts_with("\\011");
    text += blank ? ' ' : tab ? '\t' : field[i];
    if (blank || tab) i += 3;
  }
  return text;
}

std::vector<MountLine> parse_mounts(std::string_view mounts) {
  std::vector<MountLine> lines;
  while (!mounts.empty()) {
    const size_t end = std::min(mounts.find('\n'), mounts.size());
    std::string_view line = mounts.substr(0, end);
    mounts.remove_prefix(std::min(end + 1, mounts.size()));
    std::array<std::string, 3> fields;
    for (std::string& field : fields) {
      const size_t blank = std::min(line.find(' '), line.size());
      field = decoded(line.substr(0, blank));
      line.remove_prefix(std::min(blank + 1, line.size()));
    }
    if (!fields[2].empty()) lines.push_back({fields[0], fields[1], fields[2]});
  }
  return lines;
}

bool is_network(const MountLine& mount) {
  if (std::find(kNetworkTypes.begin(), kNetworkTypes.end(), mount.type) != kNetworkTypes.end()) return true;
  const bool remote = mount.source.find(':') != std::string::npos || mount.source.starts_with("//");
  return mount.type.starts_with("fuse") && remote;
}

bool is_below(const std::string& path, const std::string& point) {
  if (point == "/") return path.starts_with('/');
  return path == point || path.starts_with(point + "/");
}

}  // namespace

Json storage_target(const std::string& folder, std::string_view mounts) {
  const std::vector<MountLine> lines = parse_mounts(mounts);
  Json network = Json::array();
  for (const MountLine& line : lines) {
    if (is_network(line)) network.push_back(line.type + ":" + line.point);
  }
  Json json = {{"applicable", true},
               {"confidence", "heuristic"},
               {"data_path", nullptr},
               {"fstype", nullptr},
               {"mountpoint", nullptr},
               {"source", nullptr},
               {"network_mounts_detected", network},
               {"reason", "no storage root was named"}};
  if (folder.empty()) return json;
  json["data_path"] = folder;
  json["confidence"] = "exact";
  const std::string direct = "direct://";
  const std::string path = folder.starts_with(direct) ? folder.substr(direct.size()) : folder;
  std::error_code ignored;
  const std::string real = std::filesystem::weakly_canonical(path, ignored).string();
  const MountLine* best = nullptr;
  const bool is_path = path.find("://") == std::string::npos;
  for (const MountLine& line : lines) {
    if (!is_path || !is_below(real, line.point)) continue;
    if (best == nullptr || line.point.size() >= best->point.size()) best = &line;
  }
  json["applicable"] = best != nullptr && !is_network(*best);
  if (best == nullptr) {
    json["reason"] = "no mount has it";
    return json;
  }
  json["fstype"] = best->type;
  json["mountpoint"] = best->point;
  json["source"] = best->source;
  json["reason"] = is_network(*best) ? "a network file system" : "a local file system";
  return json;
}

}  // namespace mlps::results
