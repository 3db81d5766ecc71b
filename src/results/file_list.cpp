#include "results/file_list.hpp"

#include <openssl/evp.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <span>

#include "base/encoding.hpp"
#include "base/json.hpp"
#include "base/units.hpp"
#include "results/folder_writer.hpp"

namespace mlps::results {
namespace {

namespace fs = std::filesystem;

constexpr size_t kPieceOfFile = 256 * kKiB;

}  // namespace

Result<std::string> sha256_of_file(const std::string& path) {
  std::error_code unknown;
  if (!fs::is_regular_file(path, unknown)) return fail(ErrorCode::kConfigFileNotFound, path + " is no file");
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(errno_error(errno, "read " + path));
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> digest(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  EVP_DigestInit_ex(digest.get(), EVP_sha256(), nullptr);
  std::string piece(kPieceOfFile, '\0');
  while (file.read(piece.data(), static_cast<std::streamsize>(piece.size())) || file.gcount() > 0) {
    EVP_DigestUpdate(digest.get(), piece.data(), static_cast<size_t>(file.gcount()));
  }
  if (file.bad()) return fail(errno_error(errno, "read " + path));
  std::array<std::byte, EVP_MAX_MD_SIZE> bytes{};
  unsigned size = 0;
  EVP_DigestFinal_ex(digest.get(), reinterpret_cast<unsigned char*>(bytes.data()), &size);
  return hex(std::span(bytes).first(size));
}

bool is_listed_file(std::string_view path) {
  const bool is_own_log = path.starts_with("mlpstorage") && path.ends_with(".log");
  return !is_own_log && path != kIncompleteFile && path != kFileListFile;
}

Result<std::string> file_list_text(const std::string& folder, const std::function<std::optional<Error>()>& stop) {
  std::map<std::string, std::string> digests;
  std::error_code failed;
  for (fs::recursive_directory_iterator entry(folder, failed), end; !failed && entry != end; entry.increment(failed)) {
    if (const auto why = stop ? stop() : std::nullopt) return fail(*why);
    const std::string path = entry->path().lexically_relative(folder).generic_string();
    if (!entry->is_regular_file(failed) || !is_listed_file(path)) continue;
    Result<std::string> digest = sha256_of_file(entry->path().string());
    if (!digest) return fail(digest.error());
    digests.emplace(path, std::move(*digest));
  }
  if (failed) return fail(errno_error(failed.value(), "list " + folder));
  Json files = Json::object();
  for (auto& [path, digest] : digests) files.append(path, std::move(digest));
  const Json list = {{"schema", "mlpstorage.files/1"}, {"algorithm", "sha256"}, {"files", std::move(files)}};
  return list.dump(2) + "\n";
}

}  // namespace mlps::results
