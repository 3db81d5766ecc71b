#pragma once

#include <span>
#include <string>

#include "storage/s3/call.hpp"
#include "storage/s3/s3_object.hpp"

namespace mlps::s3 {

/// Each request about an object, written into a call that is ready to begin. The object, and the buffers handed in,
/// must stay in place until the call is done.

void ask_create(Call& call, const S3Object& object);
/// PutObject for an object of one part, else UploadPart. Takes the checksum of `body`, which HTTP wants ahead of it,
/// and keeps it with the object's part; hashes the body where payloads are signed.
void ask_write(Call& call, S3Object& object, uint32_t part, std::span<const std::byte> body, const Settings& settings);
/// `text` becomes the request's body.
void ask_complete(Call& call, const S3Object& object, std::string& text);
void ask_abort(Call& call, const S3Object& object);
void ask_delete(Call& call, const S3Object& object);
void ask_head(Call& call, const S3Object& object);
/// The bytes from `offset` on that fill `buffer`.
void ask_read(Call& call, const S3Object& object, uint64_t offset, std::span<std::byte> buffer);

}  // namespace mlps::s3
