#include "storage/azure/shared_key.hpp"

#include <gtest/gtest.h>

#include "base/encoding.hpp"
#include "location/azure_account.hpp"

namespace mlps::azure {
namespace {

constexpr std::string_view kDate = "x-ms-date: Tue, 01 Sep 2026 00:00:00 GMT\r\n";
constexpr std::string_view kVersion = "x-ms-version: 2021-12-02\r\n";

// The signatures of the emulator's account, which stands twice in the resource because its address has the account in
// the path. Azurite accepts the same.
std::string signature(std::string_view method, uint64_t length, const std::string& more, std::string_view path,
                      std::string_view query) {
  SharedKeySigner signer(std::string(kAzureEmulatorAccount), *base64_decoded(kAzureEmulatorKey));
  const std::string headers = std::string("Host: 127.0.0.1:10000\r\n").append(kVersion).append(more).append(kDate);
  const std::string value = signer.authorization({method, length, headers, path, query});
  EXPECT_EQ(value.substr(0, 27), "SharedKey devstoreaccount1:");
  return value.substr(27);
}

TEST(SharedKey, KnownAnswers) {
  EXPECT_EQ(signature("PUT", 0, "", "/devstoreaccount1/c1", "restype=container"),
            "f2p7Ejtmek/63+0Oz7FDGvxBd0r3dkbba4RpOG9TAjg=");
  EXPECT_EQ(signature("PUT", 5, "x-ms-blob-type: BlockBlob\r\n", "/devstoreaccount1/c1/k", ""),
            "XboxRGd52VQoVVfY+V3FkghKFEqaBtSi0I7Btcqvyzc=");
  EXPECT_EQ(signature("GET", 0, "x-ms-range: bytes=0-9\r\n", "/devstoreaccount1/c1/k", ""),
            "Tff8/xIafkIwXm+TaXyvgfeWVyXxwtQFaK9K1OkV7Qw=");
  EXPECT_EQ(signature("PUT", 1048576, "", "/devstoreaccount1/c1/k", "comp=block&blockid=MDAwMDAwMDA%3D"),
            "yI6HQNm+WaU1xhpOrQxHdfCuXceCFdwREfc14tYwtis=");
}

// The example of Microsoft's REST reference: Get Container Metadata.
TEST(SharedKey, SignsThePublishedText) {
  SharedKeySigner signer("myaccount", "key");
  signer.authorization({"GET", 0, "x-ms-version: 2015-02-21\r\nx-ms-date: Fri, 26 Jun 2015 23:39:12 GMT\r\n",
                        "/mycontainer", "restype=container&comp=metadata&timeout=20"});
  EXPECT_EQ(signer.signed_text(),
            "GET\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\nx-ms-version:2015-02-21\n"
            "/myaccount/mycontainer\ncomp:metadata\nrestype:container\ntimeout:20");
}

TEST(SharedKey, StandardHeadersHaveTheirPlacesAndOthersAreLeftOut) {
  SharedKeySigner signer("a", "key");
  signer.authorization(
      {"PUT", 7,
       "User-Agent: x\r\nIf-None-Match: *\r\nContent-MD5: m==\r\nIf-Match: \"e\"\r\nRange: bytes=0-1\r\n"
       "Content-Type: t\r\nX-MS-Meta-B:  two \r\nx-ms-meta-a: one\r\n",
       "/c/a%20b", "comp=blocklist"});
  EXPECT_EQ(
      signer.signed_text(),
      "PUT\n\n\n7\nm==\nt\n\n\n\"e\"\n*\n\nbytes=0-1\nx-ms-meta-a:one\nx-ms-meta-b:two\n/a/c/a%20b\ncomp:blocklist");
}

}  // namespace
}  // namespace mlps::azure
