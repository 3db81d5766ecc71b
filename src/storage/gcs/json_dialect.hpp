#pragma once

#include <memory>
#include <string>

#include "location/location.hpp"
#include "storage/gcs/settings.hpp"
#include "storage/object/dialect.hpp"

namespace mlps::gcs {

/// Google's JSON API (storage/v1). An object of one part is a media upload. The parts of a larger one are temporary
/// objects (see pieces.hpp), which the server composes; each is compared with what was sent by its size and CRC32C.
/// Reads name the generation of the first answer, so that no read mixes two.
std::unique_ptr<const object::Dialect> make_json_dialect(const Location& root, const Settings& settings);

}  // namespace mlps::gcs
