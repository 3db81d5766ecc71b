#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/environment.hpp"
#include "base/error.hpp"
#include "storage/http/way.hpp"
#include "storage/object/credentials.hpp"
#include "storage/s3/profiles.hpp"
#include "storage/s3/sigv4.hpp"

namespace mlps::s3 {

using KeySource = object::Renewed<Credentials>;

/// The source where requests aren't signed.
inline constexpr std::string_view kNoKeysSource = "none (AWS_NO_SIGN_REQUEST): requests are not signed";
/// The source of keys that variables hold.
inline constexpr std::string_view kVariablesSource = "environment";

/// What the search for keys needs beside variables and profiles.
struct KeySearch {
  const Environment& environment;
  const Profiles& profiles;
  std::string region;  ///< where a token service is asked, if no endpoint is set for it; empty: nowhere in particular
  http::Way way;       ///< to token services
};

/// Returns where keys come from; docs/object-storage.md has the order. The first place that is set counts, and all that
/// belongs together comes from it. Sends no request and starts no program: that is for the first KeySource::get(). E101
/// names what is missing and where was looked; E102 keys that hold blanks or control characters; E105 a profile that
/// asks for what this program can't do.
Result<std::shared_ptr<KeySource>> find_credentials(const KeySearch& search);

/// Returns an error unless all three are texts that can stand in a header line and weren't damaged by a line end.
Status check_keys(const Credentials& keys, const std::string& source);

}  // namespace mlps::s3
