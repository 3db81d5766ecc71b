#include <gtest/gtest.h>

#include "base/units.hpp"
#include "fixture.hpp"
#include "storage/s3/dialect.hpp"

namespace mlps::s3 {
namespace {

uint64_t grown_part_bytes(uint64_t size_bytes, uint64_t wanted) {
  return object::grown_part_bytes(kPartLimits, size_bytes, wanted);
}

TEST(PartBytes, OnePartStaysAsWanted) {
  EXPECT_EQ(grown_part_bytes(0, 16 * kMiB), 16 * kMiB);
  EXPECT_EQ(grown_part_bytes(1 * kMiB, 1 * kMiB), 1 * kMiB);
  EXPECT_EQ(grown_part_bytes(100, 0), kPartLimits.usual_part_bytes);
}

TEST(PartBytes, SeveralPartsHaveTheServersMinimum) {
  EXPECT_EQ(grown_part_bytes(64 * kMiB, 1 * kMiB), 5 * kMiB);
  EXPECT_EQ(grown_part_bytes(64 * kMiB, 8 * kMiB), 8 * kMiB);
}

TEST(PartBytes, GrowsSoThatTenThousandSuffice) {
  // 5,682,508,791,808 bytes (llama3-405b, one object): 541.9 MiB a part.
  EXPECT_EQ(grown_part_bytes(5'682'508'791'808, 16 * kMiB), 542 * kMiB);
  EXPECT_EQ(grown_part_bytes(uint64_t{10'000} * 16 * kMiB, 16 * kMiB), 16 * kMiB);
  EXPECT_EQ(grown_part_bytes(uint64_t{10'000} * 16 * kMiB + 1, 16 * kMiB), 17 * kMiB);
}

TEST(PartBytes, NeverBeyondTheServersMaximum) {
  EXPECT_EQ(grown_part_bytes(20 * kGiB, 10 * kGiB), 5 * kGiB);
  EXPECT_EQ(grown_part_bytes(6 * kGiB, 8 * kGiB), 5 * kGiB);
  EXPECT_EQ(grown_part_bytes(uint64_t{60'000} * kGiB, 16 * kMiB), 5 * kGiB);
}

TEST(RemoteObject, NamesAreEncodedOnce) {
  Settings settings = mlps::test::test_settings({"http://127.0.0.1:9000"});
  const auto context = make_context(Location(Scheme::kS3, "bkt", "run 1"), settings);
  const auto object = context->make_object({.name = "a/b+c%20.pt", .size_bytes = 3, .part_bytes = 0, .payload = {}});
  EXPECT_EQ(object->path(), "/bkt/run%201/a/b%2Bc%2520.pt");
  EXPECT_EQ(object->uri(), "s3://bkt/run 1/a/b+c%20.pt");
  settings.virtual_host = true;
  const auto virtual_context = make_context(Location(Scheme::kS3, "bkt", ""), settings);
  EXPECT_EQ(virtual_context->make_object({.name = "k", .size_bytes = 0, .part_bytes = 0, .payload = {}})->path(), "/k");
  EXPECT_EQ(virtual_context->servers[0].host, "bkt.127.0.0.1:9000");
}

TEST(RemoteObject, TheFirstVersionStays) {
  object::RemoteObject object({.name = "k", .size_bytes = 3, .part_bytes = 0, .payload = {}}, kPartLimits, nullptr,
                              "/k", "k");
  EXPECT_EQ(object.pinned_etag(), "");
  EXPECT_TRUE(object.is_version(""));
  EXPECT_TRUE(object.is_version("\"a\""));
  EXPECT_FALSE(object.is_version("\"b\""));
  EXPECT_TRUE(object.is_version("\"a\""));
  EXPECT_TRUE(object.is_version(""));  // an answer without a version may be of any
  EXPECT_EQ(object.pinned_etag(), "\"a\"");
  EXPECT_EQ(object.pinned_strong_etag(), "\"a\"");
}

TEST(RemoteObject, OnlyStrongEntityTagsAreAskedFor) {
  for (const char* etag : {"W/\"a\"", "a", "\""}) {
    object::RemoteObject object({.name = "k", .size_bytes = 3, .part_bytes = 0, .payload = {}}, kPartLimits, nullptr,
                                "/k", "k");
    EXPECT_TRUE(object.is_version(etag));
    EXPECT_EQ(object.pinned_strong_etag(), "") << etag;
  }
}

}  // namespace
}  // namespace mlps::s3
