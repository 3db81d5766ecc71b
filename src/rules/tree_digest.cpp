#include "rules/tree_digest.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <memory>
#include <span>
#include <vector>

#include "base/encoding.hpp"
#include "base/units.hpp"

namespace mlps::rules {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 19> kPruned = {
    ".git",      ".idea",    ".vscode",     ".claude",       ".agent",   ".agents",      ".roo",
    ".planning", ".gsd-tmp", "__pycache__", ".pytest_cache", ".venv",    "node_modules", "build",
    "dist",      ".tox",     "test",        "tests",         ".egg-info"};

bool is_pruned(const std::string& name) {
  return name.ends_with(".egg-info") || std::find(kPruned.begin(), kPruned.end(), name) != kPruned.end();
}
bool is_dropped(const std::string& name) {
  return name == ".code-hash.json" || name == ".DS_Store" || name == "Thumbs.db" || name.ends_with(".pyc") ||
         name.ends_with(".pyo");
}

// The files that count, relative to the folder, in the order of their bytes.
Result<std::vector<std::string>> files_of(const fs::path& folder) {
  std::vector<std::string> files;
  std::error_code failed;
  fs::recursive_directory_iterator at(folder, failed);
  for (; !failed && at != fs::recursive_directory_iterator(); at.increment(failed)) {
    const std::string name = at->path().filename().string();
    if (at->is_symlink()) continue;
    if (at->is_directory(failed)) {
      if (is_pruned(name)) at.disable_recursion_pending();
    } else if (at->is_regular_file(failed) && !is_dropped(name)) {
      files.push_back(at->path().lexically_relative(folder).generic_string());
    }
  }
  if (failed) return fail(errno_error(failed.value(), "list " + folder.string()));
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

Result<std::string> tree_digest(const std::string& folder) {
  const auto files = files_of(folder);
  if (!files) return fail(files.error());
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> digest(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  EVP_DigestInit_ex(digest.get(), EVP_md5(), nullptr);
  std::string piece(kMiB, '\0');
  for (const std::string& name : *files) {
    EVP_DigestUpdate(digest.get(), name.data(), name.size());
    std::ifstream file(fs::path(folder) / name, std::ios::binary);
    if (!file) return fail(errno_error(errno, "read " + folder + "/" + name));
    while (file.read(piece.data(), static_cast<std::streamsize>(piece.size())) || file.gcount() > 0) {
      EVP_DigestUpdate(digest.get(), piece.data(), static_cast<size_t>(file.gcount()));
    }
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned size = 0;
  EVP_DigestFinal_ex(digest.get(), bytes.data(), &size);
  return hex(std::as_bytes(std::span(bytes)).first(size));
}

}  // namespace mlps::rules
