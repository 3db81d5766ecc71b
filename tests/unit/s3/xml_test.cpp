#include "storage/s3/xml.hpp"

#include <gtest/gtest.h>

namespace mlps::s3 {
namespace {

std::string list_of(const std::string& inside) {
  return "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">" + inside +
         "</ListBucketResult>";
}

std::string message_of(const std::string& list) {
  const auto answer = parse_list_answer(list);
  if (answer) return "accepted";
  EXPECT_EQ(answer.error().code, ErrorCode::kStorageProtocol);
  return answer.error().message;
}

TEST(Xml, ErrorBody) {
  const auto error = parse_error_body(
      "<?xml version=\"1.0\"?>\n<Error><Code>NoSuchKey</Code><Message>a &lt;b&gt;\r\n c</Message><Extra>1</Extra>"
      "<RequestId>tx1</RequestId></Error>");
  EXPECT_EQ(error.code, "NoSuchKey");
  EXPECT_EQ(error.message.find('\n'), std::string::npos);
  EXPECT_EQ(error.message.substr(0, 5), "a <b>");
  EXPECT_EQ(error.request_id, "tx1");
}

TEST(Xml, AnUnreadableErrorBodyIsNoError) {
  for (const char* body : {"", "<html><body>502</body></html>", "<Error><Code>X", "\x1f\x8b garbage", "{}"}) {
    EXPECT_EQ(parse_error_body(body).code, "") << body;
  }
}

TEST(Xml, UploadId) {
  EXPECT_EQ(*parse_upload_id("<x:InitiateMultipartUploadResult xmlns:x=\"u\"><x:UploadId>a/b&amp;c</x:UploadId>"
                             "</x:InitiateMultipartUploadResult>"),
            "a/b&c");
  EXPECT_FALSE(parse_upload_id("<InitiateMultipartUploadResult/>"));
  EXPECT_FALSE(parse_upload_id("<InitiateMultipartUploadResult><UploadId></UploadId></InitiateMultipartUploadResult>"));
  // Servers on gofakes3 name the root element otherwise; blanks around the id are not part of it.
  EXPECT_EQ(*parse_upload_id("<InitiateMultipartUpload><UploadId> 1\n</UploadId></InitiateMultipartUpload>"), "1");
  EXPECT_FALSE(parse_upload_id("<Other><Id>1</Id></Other>"));
  EXPECT_FALSE(parse_upload_id("<InitiateMultipartUploadResult><UploadId>" + std::string(5000, 'x') +
                               "</UploadId></InitiateMultipartUploadResult>"));
}

TEST(Xml, CompleteAnswers) {
  const auto good = parse_complete_answer(
      "<CompleteMultipartUploadResult><ETag>&quot;a-2&quot;</ETag>"
      "</CompleteMultipartUploadResult>");
  ASSERT_TRUE(good);
  EXPECT_FALSE(good->is_error);
  EXPECT_EQ(good->etag, "\"a-2\"");
  const auto empty_etag = parse_complete_answer(
      "<CompleteMultipartUploadResult><ETag></ETag>"
      "</CompleteMultipartUploadResult>");
  ASSERT_TRUE(empty_etag);
  EXPECT_FALSE(empty_etag->is_error);
  const auto error = parse_complete_answer("   \n  <?xml version=\"1.0\"?><Error><Code>InternalError</Code></Error>");
  ASSERT_TRUE(error);
  EXPECT_TRUE(error->is_error);
  EXPECT_EQ(error->error.code, "InternalError");
  EXPECT_FALSE(parse_complete_answer(""));
  EXPECT_FALSE(parse_complete_answer("     "));
  EXPECT_FALSE(parse_complete_answer("<CompleteMultipartUploadResult><ETag>"));
}

TEST(Xml, List) {
  const auto page = parse_list_answer(
      list_of("<IsTruncated>true</IsTruncated><NextContinuationToken>t&amp;1</NextContinuationToken>"
              "<EncodingType>url</EncodingType><Unknown><Contents/></Unknown>"
              "<Contents><Key>a%2Fb+c</Key><Size>12</Size></Contents><Contents><Key>d</Key><Size>0</Size></Contents>"));
  ASSERT_TRUE(page);
  ASSERT_EQ(page->objects.size(), 2U);
  EXPECT_EQ(page->objects[0].key, "a/b c");
  EXPECT_EQ(page->objects[0].size_bytes, 12U);
  EXPECT_EQ(page->next, "t&1");
}

TEST(Xml, KeysAreVerbatimWithoutEncodingType) {
  const auto page = parse_list_answer(
      list_of("<IsTruncated>false</IsTruncated><Contents><Key>a%2F+&lt;&#10;</Key><Size>1</Size></Contents>"));
  ASSERT_TRUE(page);
  EXPECT_EQ(page->objects[0].key, "a%2F+<\n");
}

TEST(Xml, HostileLists) {
  EXPECT_EQ(message_of(list_of("<IsTruncated>true</IsTruncated>")),
            "the list is cut short without a NextContinuationToken");
  EXPECT_EQ(message_of(list_of("")), "the list doesn't say whether it is complete (IsTruncated)");
  const std::string end = "<IsTruncated>false</IsTruncated>";
  EXPECT_NE(message_of(list_of(end + "<Contents><Key>a</Key><Size>-1</Size></Contents>")), "accepted");
  EXPECT_NE(message_of(list_of(end + "<Contents><Key>a</Key><Size>99999999999999999999</Size></Contents>")),
            "accepted");
  EXPECT_NE(message_of(list_of(end + "<Contents><Key></Key><Size>1</Size></Contents>")), "accepted");
  EXPECT_NE(
      message_of(list_of(end + "<EncodingType>url</EncodingType><Contents><Key>%G1</Key><Size>1</Size></Contents>")),
      "accepted");
  for (const char* broken : {"&nbsp;", "&#0;", "&#x110000;", "&#xD800;", "&#;", "&", "&amp", "&#12a;"}) {
    EXPECT_NE(message_of(list_of(end + "<Contents><Key>a" + broken + "</Key><Size>1</Size></Contents>")), "accepted")
        << broken;
  }
}

TEST(Xml, Uploads) {
  const auto page = parse_uploads_answer(
      "<ListMultipartUploadsResult><IsTruncated>true</IsTruncated><NextKeyMarker>a b</NextKeyMarker>"
      "<NextUploadIdMarker>i+</NextUploadIdMarker><Upload><Key>a%2Fb</Key><UploadId>i&amp;/+</UploadId></Upload>"
      "</ListMultipartUploadsResult>");
  ASSERT_TRUE(page);
  ASSERT_EQ(page->uploads.size(), 1U);
  EXPECT_EQ(page->uploads[0].key, "a%2Fb");
  EXPECT_EQ(page->uploads[0].id, "i&/+");
  EXPECT_EQ(page->next_key, "a b");
  EXPECT_EQ(page->next_id, "i+");
  const auto encoded = parse_uploads_answer(
      "<ListMultipartUploadsResult><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>"
      "<NextKeyMarker>a%2Fc</NextKeyMarker><Upload><Key>a%2Fb+c</Key><UploadId>a%2F</UploadId></Upload>"
      "</ListMultipartUploadsResult>");
  ASSERT_TRUE(encoded);
  EXPECT_EQ(encoded->uploads[0].key, "a/b c");
  EXPECT_EQ(encoded->uploads[0].id, "a%2F");
  EXPECT_EQ(encoded->next_key, "a/c");
}

TEST(Xml, HostileUploads) {
  const auto refused = [](const std::string& inside) {
    const auto page = parse_uploads_answer("<ListMultipartUploadsResult>" + inside + "</ListMultipartUploadsResult>");
    return !page && page.error().code == ErrorCode::kStorageProtocol;
  };
  const std::string end = "<IsTruncated>false</IsTruncated>";
  EXPECT_FALSE(refused(end));
  EXPECT_TRUE(refused(""));
  EXPECT_TRUE(refused("<IsTruncated>true</IsTruncated>"));
  EXPECT_TRUE(refused(end + "<Upload><Key>k</Key></Upload>"));
  EXPECT_TRUE(refused(end + "<Upload><UploadId>1</UploadId></Upload>"));
  EXPECT_TRUE(refused(end + "<Upload><Key>k</Key><UploadId>" + std::string(5000, 'x') + "</UploadId></Upload>"));
  EXPECT_TRUE(refused(end + "<EncodingType>url</EncodingType><Upload><Key>%G1</Key><UploadId>1</UploadId></Upload>"));
  EXPECT_FALSE(parse_uploads_answer("<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"));
}

TEST(Xml, DocumentTypesAreRefused) {
  const std::string bomb =
      "<!DOCTYPE l [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><ListBucketResult><IsTruncated>false</IsTruncated>"
      "</ListBucketResult>";
  EXPECT_EQ(message_of(bomb), "the answer's XML holds a document type");
}

TEST(Xml, DeepNestingIsSurvived) {
  std::string deep;
  for (int i = 0; i < 200'000; ++i) deep += "<a>";
  EXPECT_FALSE(parse_list_answer(deep));
}

TEST(Xml, CompleteRequestEscapes) {
  const CompletedPart parts[] = {{"\"e1\"", "AAAA"}, {"<&>", ""}};
  EXPECT_EQ(complete_request_body(parts),
            "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
            "<Part><PartNumber>1</PartNumber><ETag>&quot;e1&quot;</ETag><ChecksumCRC32C>AAAA</ChecksumCRC32C></Part>"
            "<Part><PartNumber>2</PartNumber><ETag>&lt;&amp;&gt;</ETag></Part></CompleteMultipartUpload>");
}

}  // namespace
}  // namespace mlps::s3
