#pragma once

#include <memory>
#include <string>

#include "storage/gcs/settings.hpp"
#include "storage/object/dialect.hpp"

namespace mlps::gcs {

/// Writes requests of the JSON API with the bearer token that counts when they are sent.
std::unique_ptr<object::RequestWriter> make_json_writer(const Settings& settings);

/// Removes the present token from a text that holds words of the server.
void redact_token(const Settings& settings, std::string& text);

}  // namespace mlps::gcs
