#include "storage/s3/sigv4.hpp"

#include <gtest/gtest.h>

namespace mlps::s3 {
namespace {

// Known answers; the first is AWS's published example.
const Credentials kExample = {"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""};
constexpr char kTime[] = "20260901T000000Z";

std::string signature(const SigningInput& input) {
  Signer signer(kExample, "us-east-1");
  signer.authorization(input);
  return std::string(signer.signature());
}

TEST(SigV4, PublishedExample) {
  const SignedHeader headers[] = {{"host", "examplebucket.s3.amazonaws.com"},
                                  {"range", "bytes=0-9"},
                                  {"x-amz-content-sha256", kEmptyPayloadHash},
                                  {"x-amz-date", "20130524T000000Z"}};
  Signer signer(kExample, "us-east-1");
  const std::string authorization =
      signer.authorization({"GET", "/test.txt", "", headers, kEmptyPayloadHash, "20130524T000000Z"});
  EXPECT_EQ(authorization,
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
            "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
            "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
  EXPECT_EQ(signer.signing_key_hex("20130524"), "dbb893acc010964918f1fd433add87c70e8b0db6be30c1fbeafefa5ec6ba8378");
}

TEST(SigV4, EncodedKeyWithUnsignedPayload) {
  const SignedHeader headers[] = {{"host", "127.0.0.1:9000"},
                                  {"range", "bytes=0-1048575"},
                                  {"x-amz-content-sha256", kUnsignedPayload},
                                  {"x-amz-date", kTime}};
  EXPECT_EQ(signature({"GET", "/b1/dir/a%20b%2Bc.npz", "", headers, kUnsignedPayload, kTime}),
            "bd7bf4513d07d60ff240471e4f48bdf44a9f1e301fac89eb5e7e6330b7689ed3");
}

TEST(SigV4, ListAndCreate) {
  const SignedHeader headers[] = {
      {"host", "127.0.0.1:9000"}, {"x-amz-content-sha256", kEmptyPayloadHash}, {"x-amz-date", kTime}};
  EXPECT_EQ(signature({"GET", "/b1", "delimiter=%2F&encoding-type=url&list-type=2&max-keys=1000&prefix=dir%2F", headers,
                       kEmptyPayloadHash, kTime}),
            "4e3ceb4120c9283fff108015d76c4ede0caeb67c2556f8f38212a4c70de0d722");
  EXPECT_EQ(signature({"POST", "/b1/k", "uploads=", headers, kEmptyPayloadHash, kTime}),
            "cc68778166f3cd4f56891d34abf535e57042e4d7d015b6afab9468b76dddfa72");
}

TEST(SigV4, PartWithSessionToken) {
  const SignedHeader headers[] = {{"host", "127.0.0.1:9000"},
                                  {"x-amz-content-sha256", kUnsignedPayload},
                                  {"x-amz-date", kTime},
                                  {"x-amz-security-token", "tok"}};
  EXPECT_EQ(signature({"PUT", "/b1/k", "partNumber=1&uploadId=abc", headers, kUnsignedPayload, kTime}),
            "a21b49cbf8a8dddce6d06d68937d86f7370d0d67cc9ab5b0daf5f25cf10e09d0");
}

TEST(SigV4, TheKeyFollowsTheDay) {
  const SignedHeader headers[] = {{"host", "h"}};
  Signer signer(kExample, "us-east-1");
  signer.authorization({"GET", "/", "", headers, kEmptyPayloadHash, "20260901T235959Z"});
  const std::string before(signer.signature());
  signer.authorization({"GET", "/", "", headers, kEmptyPayloadHash, "20260902T000000Z"});
  const std::string after(signer.signature());
  Signer fresh(kExample, "us-east-1");
  fresh.authorization({"GET", "/", "", headers, kEmptyPayloadHash, "20260902T000000Z"});
  EXPECT_NE(before, after);
  EXPECT_EQ(after, fresh.signature());
}

TEST(SigV4, Time) {
  EXPECT_EQ(amz_time(1369353600), "20130524T000000Z");
  EXPECT_EQ(sha256_hex(std::string_view()), kEmptyPayloadHash);
}

}  // namespace
}  // namespace mlps::s3
