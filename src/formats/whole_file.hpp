#pragma once

#include "formats/format.hpp"

namespace mlps::formats {

/// Base of the formats whose files are one extent with all samples.
class WholeFile : public Format {
 public:
  explicit WholeFile(const Layout& layout) : samples_(layout.samples_per_file), element_type_(layout.element_type) {}

  uint32_t extent_count() const override { return 1; }
  uint64_t extent_samples(uint32_t /*index*/) const override { return samples_; }
  Extent extent(const FileShape& shape, uint32_t /*index*/) const override { return {0, file_bytes(shape)}; }

 protected:
  uint64_t samples() const { return samples_; }
  workloads::ElementType element_type() const { return element_type_; }
  /// Returns the bytes of the array (height, width, samples).
  uint64_t array_bytes(const FileShape& shape) const {
    return shape.height * shape.width * samples_ * workloads::element_bytes(element_type_);
  }

 private:
  uint64_t samples_;
  workloads::ElementType element_type_;
};

}  // namespace mlps::formats
