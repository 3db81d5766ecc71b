#pragma once

#include <string>

#include "base/error.hpp"

/// Checks of the files that TLS is set up with, before any connection: what is found out by one is an error of a
/// server.
namespace mlps::object {

/// Returns an error unless a PEM file holds at least one certificate, and nothing but certificates that can be read.
/// E103 if it isn't there, E104 for its content; `setting` names what named it.
Status check_authorities(const std::string& path, const std::string& setting);

/// Returns an error unless the first certificate of one PEM file belongs to the key in the other. The key must not be
/// protected by a pass phrase.
Status check_own_certificate(const std::string& certificate_path, const std::string& key_path,
                             const std::string& setting);

}  // namespace mlps::object
