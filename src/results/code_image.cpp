#include "results/code_image.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/clock.hpp"
#include "base/version.hpp"
#include "results/digests.hpp"
#include "results/json_text.hpp"
#include "results/run_folder.hpp"

namespace mlps::results {
namespace {

namespace fs = std::filesystem;

constexpr int kImageIndent = 2;
constexpr size_t kNameDigits = 8;
constexpr const char* kAlgorithm = "md5-tree-v2";
constexpr const char* kDescription = "build.json";  // the one file of an image

// Returns the digest of the program file, which tells any two builds apart.
std::string program_digest() {
  std::ifstream file("/proc/self/exe", std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  return bytes.empty() ? "unknown" : sha256_hex(bytes);
}

std::string description() {
  static const std::string text = indented(Json{{"name", "mlpstorage"},
                                                {"version", std::string(version_text())},
                                                {"commit", std::string(build_id())},
                                                {"binary_id", binary_id()},
                                                {"compiler", std::string(compiler())},
                                                {"program_sha256", program_digest()}},
                                           kImageIndent);
  return text;
}

// The digest md5-tree-v2 of a tree with this one file: its path, then its content.
std::string image_hash() {
  return md5_hex(kDescription + description());
}

std::string hash_text() {
  const std::string_view sha = commit_id();
  return indented(Json{{"hash", image_hash()},
                       {"algorithm", kAlgorithm},
                       {"captured_at", iso_utc(Stamp::now().wall_us)},
                       {"mlpstorage_version", std::string(version_text())},
                       {"git_sha", sha.empty() ? Json() : Json(sha)}},
                  kImageIndent);
}

Status make_folder(const fs::path& folder) {
  std::error_code failed;
  fs::create_directories(folder, failed);
  if (failed) return fail(errno_error(failed.value(), "create folder " + folder.string()));
  return {};
}

}  // namespace

std::string code_image_pointer() {
  return fmt::format("{}:{}", kAlgorithm, image_hash());
}

Status store_code_image(const std::string& results_dir) {
  const fs::path pool = fs::path(results_dir) / "code-images";
  const fs::path image = pool / ("code-" + image_hash().substr(0, kNameDigits));
  std::error_code ignored;
  if (fs::exists(image, ignored)) return {};
  const fs::path begun = pool / fmt::format(".code-{}.tmp", ::getpid());
  if (Status made = make_folder(begun); !made) return made;
  if (Status marked = write_file((pool / ".mlps-image-pool").string(), ""); !marked) return marked;
  Status written = write_file((begun / kDescription).string(), description());
  if (written) written = write_file((begun / ".code-hash.json").string(), hash_text());
  std::error_code failed;
  if (written) fs::rename(begun, image, failed);
  // Another process may have been first; the name says that its image is the same.
  if (written && failed && !fs::exists(image, ignored)) {
    written = fail(errno_error(failed.value(), "rename to " + image.string()));
  }
  fs::remove_all(begun, ignored);
  return written;
}

}  // namespace mlps::results
