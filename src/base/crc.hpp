#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace mlps {

/// Returns the CRC-32C (Castagnoli, reflected 0x82F63B78, all ones in and out): crc32c("123456789") == 0xe3069283.
/// `before` is the CRC of the bytes that precede `bytes`.
uint32_t crc32c(std::span<const std::byte> bytes, uint32_t before = 0);

/// Returns the CRC-32C of A followed by B, from the CRCs of both and the length of B.
uint32_t crc32c_joined(uint32_t first, uint32_t second, uint64_t second_length);

/// Returns the CRC-64/NVME (reflected 0x9A6C9329AC4BC9B5, all ones in and out), which S3 calls CRC64NVME and Azure
/// CRC64: crc64nvme("123456789") == 0xae8b14860a799888. `before` is the CRC of the bytes that precede `bytes`.
uint64_t crc64nvme(std::span<const std::byte> bytes, uint64_t before = 0);

/// Does the same without instructions that not every processor has; for tests.
uint64_t crc64nvme_portable(std::span<const std::byte> bytes, uint64_t before = 0);

/// Returns the CRC-64/NVME of A followed by B, from the CRCs of both and the length of B.
uint64_t crc64nvme_joined(uint64_t first, uint64_t second, uint64_t second_length);

/// Returns the CRC-32 of zip and gzip (reflected 0xEDB88320, all ones in and out): crc32("123456789") == 0xcbf43926.
uint32_t crc32(std::span<const std::byte> bytes, uint32_t before = 0);

/// Returns the CRC-32 of bytes with the CRC `before`, followed by `length` zero bytes.
uint32_t crc32_of_zeros(uint32_t before, uint64_t length);

}  // namespace mlps
