#pragma once

#include "base/environment.hpp"
#include "base/error.hpp"
#include "storage/s3/sigv4.hpp"

namespace mlps::s3 {

/// Returns AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (with AWS_SESSION_TOKEN), else the profile AWS_PROFILE
/// ("default") of AWS_SHARED_CREDENTIALS_FILE, else of ~/.aws/credentials. E101 names what is missing, E103/E104 a
/// credentials file that can't be read. No metadata service is ever asked.
Result<Credentials> find_credentials(const Environment& environment);

}  // namespace mlps::s3
