#include "storage/azure/xml.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mlps::azure {
namespace {

using ::testing::HasSubstr;

std::string list_of(const std::string& blobs, const std::string& rest = "<NextMarker/>") {
  return "\xEF\xBB\xBF<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults ServiceEndpoint=\"https://a/\" "
         "ContainerName=\"c\"><Prefix>p/</Prefix><MaxResults>2</MaxResults><Blobs>" +
         blobs + "</Blobs>" + rest + "</EnumerationResults>";
}

std::string blob(const std::string& name, const std::string& size) {
  return "<Blob>" + name + "<Properties><Etag>0x8D</Etag><Content-Length>" + size +
         "</Content-Length><BlobType>BlockBlob</BlobType></Properties><OrMetadata/></Blob>";
}

TEST(BlobList, NamesSizesAndMarker) {
  const auto page = parse_blob_list(
      list_of(blob("<Name>p/a &amp; b</Name>", "0") + blob("<Name>p/c+d</Name>", "18446744073709551615"),
              "<NextMarker>2!76!x</NextMarker>"));
  ASSERT_TRUE(page) << page.error().message;
  ASSERT_EQ(page->objects.size(), 2U);
  EXPECT_EQ(page->objects[0].key, "p/a & b");
  EXPECT_EQ(page->objects[0].size_bytes, 0U);
  EXPECT_EQ(page->objects[1].key, "p/c+d");
  EXPECT_EQ(page->objects[1].size_bytes, UINT64_MAX);
  EXPECT_EQ(page->next, "2!76!x");
}

TEST(BlobList, WhatMayBeUnfinishedHasNeitherContentNorMd5) {
  const auto with = [](const std::string& name, const std::string& properties) {
    return "<Blob><Name>" + name + "</Name><Properties>" + properties + "</Properties></Blob>";
  };
  const auto page = parse_blob_list(
      list_of(with("blocks", "<Content-Length>0</Content-Length>") +
              with("empty", "<Content-Length>0</Content-Length><Content-MD5>1B2M2Y8AsgTpgAmY7PhCfg==</Content-MD5>") +
              with("full", "<Content-Length>7</Content-Length>")),
      true);
  ASSERT_TRUE(page) << page.error().message;
  ASSERT_EQ(page->objects.size(), 1U);
  EXPECT_EQ(page->objects[0].key, "blocks");
}

TEST(BlobList, NamesThatXmlCannotHoldArePercentEncoded) {
  const auto page = parse_blob_list(list_of(blob("<Name Encoded=\"true\">p%2Fa+%EF%BF%BF</Name>", "1")));
  ASSERT_TRUE(page) << page.error().message;
  EXPECT_EQ(page->objects[0].key, "p/a+\xEF\xBF\xBF");
}

TEST(BlobList, DirectoriesOfAHierarchicalNamespaceAreNoObjects) {
  const auto page = parse_blob_list(list_of(
      "<Blob><Name>p/dir</Name><Properties><ResourceType>directory</ResourceType><Content-Length>0</Content-Length>"
      "</Properties></Blob>" +
      blob("<Name>p/dir/x</Name>", "3")));
  ASSERT_TRUE(page) << page.error().message;
  ASSERT_EQ(page->objects.size(), 1U);
  EXPECT_EQ(page->objects[0].key, "p/dir/x");
}

TEST(BlobList, WhatIsNoListIsRefused) {
  for (const std::string& body :
       {std::string(), std::string("<html>"), std::string("<Error><Code>X</Code></Error>"),
        std::string("<EnumerationResults/>"), list_of(blob("<Name/>", "1")), list_of(blob("<Name>x</Name>", "-1")),
        list_of(blob("<Name>x</Name>", "")), list_of(blob("<Name Encoded=\"true\">%zz</Name>", "1")),
        "<!DOCTYPE x>" + list_of("")}) {
    const auto page = parse_blob_list(body);
    ASSERT_FALSE(page) << body;
    EXPECT_EQ(page.error().code, ErrorCode::kStorageProtocol) << body;
  }
}

TEST(ErrorBody, CodeWordsAndDetail) {
  const auto error = parse_error_body(
      "\xEF\xBB\xBF<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>AuthenticationFailed</Code><Message>Server "
      "failed "
      "to authenticate the "
      "request.\nRequestId:1-2\nTime:2026-11-28T00:00:00Z</Message><AuthenticationErrorDetail>Signature "
      "not valid\nin the specified time frame</AuthenticationErrorDetail></Error>");
  EXPECT_EQ(error.code, "AuthenticationFailed");
  EXPECT_EQ(error.message,
            "Server failed to authenticate the request. (Signature not valid in the specified time frame)");
}

TEST(ErrorBody, AnythingElseIsEmpty) {
  for (const char* body : {"", "<html><body>no</body></html>", "{\"error\":1}", "<Error"}) {
    EXPECT_EQ(parse_error_body(body).code, "") << body;
  }
}

TEST(BlockList, NamesEveryBlockInOrder) {
  std::vector<object::StoredPart> parts(2);
  parts[0].tag = "MQ==";
  parts[1].tag = "Mg==";
  EXPECT_THAT(block_list_body(parts), HasSubstr("<BlockList><Latest>MQ==</Latest><Latest>Mg==</Latest></BlockList>"));
  EXPECT_THAT(block_list_body({}), HasSubstr("<BlockList></BlockList>"));
}

}  // namespace
}  // namespace mlps::azure
