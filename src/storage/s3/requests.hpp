#pragma once

#include <span>
#include <string>

#include "storage/s3/call.hpp"
#include "storage/s3/s3_object.hpp"

namespace mlps::s3 {

/// Each function writes one request about an object into `call`, which is then ready to begin. The object, and the
/// buffers handed in, must stay in place until the call is done.

void ask_create(Call& call, const S3Object& object);
/// Writes PutObject for an object of one part, else UploadPart. Computes the checksum of `body`, which is sent ahead of
/// it, and keeps it with the object's part; hashes the body where payloads are signed.
void ask_write(Call& call, S3Object& object, uint32_t part, std::span<const std::byte> body, const Settings& settings);
/// `text` becomes the request's body.
void ask_complete(Call& call, const S3Object& object, std::string& text);
void ask_abort(Call& call, const S3Object& object);
void ask_delete(Call& call, const S3Object& object);
void ask_head(Call& call, const S3Object& object);
/// Asks for the bytes from `offset` on that fill `buffer`.
void ask_read(Call& call, const S3Object& object, uint64_t offset, std::span<std::byte> buffer);

}  // namespace mlps::s3
