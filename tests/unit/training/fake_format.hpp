#pragma once

#include <vector>

#include "formats/format.hpp"

namespace mlps::test {

/// Files of equal extents with given samples each; bytes are the source's. For tests of what is built on formats.
class FakeFormat : public formats::Format {
 public:
  FakeFormat(uint64_t extent_bytes, std::vector<uint64_t> samples)
      : extent_bytes_(extent_bytes), samples_(std::move(samples)) {}

  uint64_t file_bytes(const formats::FileShape& /*shape*/) const override { return extent_bytes_ * samples_.size(); }
  uint32_t extent_count() const override { return static_cast<uint32_t>(samples_.size()); }
  uint64_t extent_samples(uint32_t index) const override { return samples_[index]; }
  formats::Extent extent(const formats::FileShape& /*shape*/, uint32_t index) const override {
    return {index * extent_bytes_, extent_bytes_};
  }
  void fill(const formats::FileShape& /*shape*/, const payload::Source& source, uint64_t offset,
            std::span<std::byte> out) const override {
    source.fill(offset, out);
  }

 private:
  uint64_t extent_bytes_;
  std::vector<uint64_t> samples_;
};

}  // namespace mlps::test
