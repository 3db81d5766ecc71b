#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/environment.hpp"
#include "base/error.hpp"

namespace mlps {

/// The kinds of storage, by the client that reaches them.
enum class Scheme { kFile, kDirect, kS3, kGs, kAzure, kNull };

std::string_view scheme_name(Scheme scheme);  ///< "file", "direct", "s3", "gs", "az", "null"

/// A place to store things: parsed once at the command line and carried as a value to the last I/O call. Text is only
/// parsed by `parse_location()` and `checkpoint_location()`, and only made by `to_string()`, for people and result
/// files. Immutable; joining makes a new value.
///
/// `bucket` is set for s3, gs (bucket) and az ("account/container"), else empty. `path` is the key prefix inside the
/// bucket, or an absolute file-system path, without trailing '/'; it may be empty for object schemes and null.
class Location {
 public:
  Location(Scheme scheme, std::string bucket, std::string path)
      : scheme_(scheme), bucket_(std::move(bucket)), path_(std::move(path)) {}

  Scheme scheme() const { return scheme_; }
  const std::string& bucket() const { return bucket_; }
  const std::string& path() const { return path_; }

  bool is_object_store() const { return scheme_ == Scheme::kS3 || scheme_ == Scheme::kGs || scheme_ == Scheme::kAzure; }
  bool is_file_system() const { return scheme_ == Scheme::kFile || scheme_ == Scheme::kDirect; }

  /// This location with one '/' and `name` appended. `name` is relative, without leading or trailing '/'.
  Location join(std::string_view name) const;

  /// Returns the key or path of `name` below this location: "prefix/name" or "/abs/path/name"; just `name` at a
  /// bucket's root.
  std::string key_of(std::string_view name) const;

  /// "s3://bucket/prefix", "direct:///mnt/x", "/mnt/x" for plain files, "null://".
  std::string to_string() const;

  bool operator==(const Location&) const = default;

 private:
  Scheme scheme_;
  std::string bucket_;
  std::string path_;
};

/// Parses a location as people type it: a URI with one of our schemes, or a plain path (made absolute against the
/// working directory). Schemes are case-insensitive. Refused with E102 naming text and reason: unknown scheme, a
/// second "://", an empty bucket, a query or fragment, control characters, `.`/`..` components in keys.
/// "https://account.blob.core.windows.net/container/prefix" is another spelling of az://account/container/prefix.
Result<Location> parse_location(std::string_view text);

/// The storage word of a command line, `file` or `object`.
enum class AccessProtocol { kFile, kObject };

/// Returns the word of the command line for a protocol, "file" or "object".
constexpr std::string_view storage_word(AccessProtocol protocol) {
  return protocol == AccessProtocol::kObject ? "object" : "file";
}
/// Returns the protocol that a word of the command line stands for; nothing for any other word.
constexpr std::optional<AccessProtocol> protocol_of(std::string_view word) {
  if (word == storage_word(AccessProtocol::kFile)) return AccessProtocol::kFile;
  if (word == storage_word(AccessProtocol::kObject)) return AccessProtocol::kObject;
  return std::nullopt;
}

/// Returns the location of a checkpoint folder, by the rules of mlpstorage 3.0, changed as
/// docs/compatibility.md says: in object mode a bare folder "bucket/prefix" takes its scheme from
/// MLPSTORAGE_CHECKPOINT_URI_SCHEME, else STORAGE_URI_SCHEME, else s3, and a qualified folder always wins; file mode
/// never looks at a variable; a mode and a folder that contradict each other are E105. `o_direct` turns a file-mode
/// path into direct://. Where AZURE_STORAGE_ACCOUNT (or another of azure_account()'s variables) names an account, az://
/// locations may leave it out: their first component is the container, unless it is that account.
Result<Location> checkpoint_location(std::string_view folder, AccessProtocol protocol, bool o_direct,
                                     const Environment& environment);

/// The value of `--data-dir`, and the values that decide its meaning.
struct DataFolder {
  std::string data_dir;             ///< as given
  std::string model;                ///< whose data set
  std::vector<std::string> models;  ///< all there are
  bool o_direct = false;
};

/// Returns the location of a data set: `data_dir` with the model's name behind it, unless it ends in the name of a
/// model. In object mode a bare folder is a key prefix below the bucket BUCKET names, or, without that variable, begins
/// with its bucket ("bucket/prefix"); its scheme is STORAGE_URI_SCHEME, else s3. A qualified folder always wins; file
/// mode looks at no variable; a mode and a folder that contradict each other are E105. `o_direct` turns a path into
/// direct://.
Result<Location> data_location(const DataFolder& folder, AccessProtocol protocol, const Environment& environment);

}  // namespace mlps
