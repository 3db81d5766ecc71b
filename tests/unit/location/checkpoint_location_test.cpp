// The truth table and the 21 behaviours of mlpstorage 3.0's checkpoint folders, on the functions that play those parts
// here: checkpoint_location() makes the one Location that the preflight and the writer both use, join() appends the
// model, key_of() makes the name of a file in it. What differs from the original on purpose stands in
// docs/compatibility.md, section "Locations".
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>
#include <utility>

#include "location/location.hpp"

namespace mlps {
namespace {

using ::testing::HasSubstr;

constexpr auto kFile = AccessProtocol::kFile;
constexpr auto kObject = AccessProtocol::kObject;
const Environment kEmpty;

Environment variables(std::map<std::string, std::string> values) {
  return Environment(std::move(values));
}

Environment scheme_variable(const std::string& value) {
  return variables({{"MLPSTORAGE_CHECKPOINT_URI_SCHEME", value}});
}

// The model's folder, as preflight and writer see it.
std::string folder_of(std::string_view folder, AccessProtocol protocol, const Environment& environment = kEmpty,
                      bool o_direct = false) {
  const auto location = checkpoint_location(folder, protocol, o_direct, environment);
  return location ? location->join("llama3-8b").to_string() : "refused: " + render(location.error());
}

// What the client that writes object W is told: bucket, then key or path.
std::pair<std::string, std::string> written(std::string_view folder, AccessProtocol protocol,
                                            const Environment& environment = kEmpty, bool o_direct = false) {
  const auto location = checkpoint_location(folder, protocol, o_direct, environment);
  if (!location) return {"refused", location.error().message};
  return {location->bucket(), location->key_of("llama3-8b/W")};
}

Error refusal_of(std::string_view folder, AccessProtocol protocol, const Environment& environment = kEmpty,
                 bool o_direct = false) {
  const auto location = checkpoint_location(folder, protocol, o_direct, environment);
  if (location) {
    ADD_FAILURE() << folder << " was taken as " << location->to_string();
    return {};
  }
  EXPECT_FALSE(location.error().suggestion.empty()) << folder;
  return location.error();
}

using Written = std::pair<std::string, std::string>;

// --- The truth table -------------------------------------------------------------------------------------------------

TEST(TruthTable, Row01S3Qualified) {
  EXPECT_EQ(folder_of("s3://b/p", kObject), "s3://b/p/llama3-8b");
  EXPECT_EQ(written("s3://b/p", kObject), Written("b", "p/llama3-8b/W"));
}
TEST(TruthTable, Row02TrailingSlashAndUpperCase) {
  EXPECT_EQ(folder_of("s3://b/p/", kObject), "s3://b/p/llama3-8b");
  EXPECT_EQ(folder_of("S3://b/p", kObject), "s3://b/p/llama3-8b");
}
TEST(TruthTable, Row03BucketOnly) {
  EXPECT_EQ(folder_of("s3://b", kObject), "s3://b/llama3-8b");
  EXPECT_EQ(written("s3://b", kObject), Written("b", "llama3-8b/W"));
}
TEST(TruthTable, Row04AzureIsAccountAndContainer) {
  EXPECT_EQ(folder_of("az://c/p", kObject), "az://c/p/llama3-8b");
  EXPECT_EQ(written("az://account/container/p", kObject), Written("account/container", "p/llama3-8b/W"));
  // Ours: preflight and writer can't disagree, whatever STORAGE_URI_SCHEME says.
  EXPECT_EQ(folder_of("az://c/p", kObject, variables({{"STORAGE_URI_SCHEME", "s3"}})), "az://c/p/llama3-8b");
}
TEST(TruthTable, Row05Gs) {
  EXPECT_EQ(folder_of("gs://b/p", kObject), "gs://b/p/llama3-8b");
  EXPECT_EQ(written("gs://b/p", kObject), Written("b", "p/llama3-8b/W"));
}
TEST(TruthTable, Row06BareFolderWithoutVariableIsS3) {
  // Original: "Unsupported URI scheme", or a write to local disk.
  EXPECT_EQ(folder_of("b/p", kObject), "s3://b/p/llama3-8b");
}
TEST(TruthTable, Row07BareFolderTakesTheVariable) {
  EXPECT_EQ(folder_of("b/p", kObject, scheme_variable("s3")), "s3://b/p/llama3-8b");
}
TEST(TruthTable, Row08AnEmptyVariableIsUnset) {
  EXPECT_EQ(folder_of("b/p", kObject, scheme_variable("")), "s3://b/p/llama3-8b");
}
TEST(TruthTable, Row09S3aIsRefusedWithAHint) {
  const Error error = refusal_of("s3a://b/p", kObject);
  EXPECT_EQ(error.code, ErrorCode::kConfigInvalid);
  EXPECT_THAT(error.suggestion, HasSubstr("s3://"));
}
TEST(TruthTable, Row10ObjectModeWithALocalPath) {
  for (const char* folder : {"/mnt/c", "./c", "../c", ".", "..", "~/c"}) {
    const Error error = refusal_of(folder, kObject, scheme_variable("s3"));
    EXPECT_EQ(error.code, ErrorCode::kConfigIncompatible) << folder;
    EXPECT_THAT(error.message, HasSubstr("inconsistent storage configuration"));
    EXPECT_THAT(error.message, HasSubstr(folder));
  }
}
TEST(TruthTable, Row11ObjectModeWithAFileOrDirectUri) {
  for (const char* folder : {"file:///mnt/c", "direct:///mnt/c", "FILE:///mnt/c"}) {
    EXPECT_EQ(refusal_of(folder, kObject).code, ErrorCode::kConfigIncompatible) << folder;
  }
}
TEST(TruthTable, Row12ASecondSchemeIsRefusedByName) {
  const Error error = refusal_of("s3://s3://b/p", kObject);
  EXPECT_EQ(error.code, ErrorCode::kConfigInvalid);
  EXPECT_THAT(error.message, HasSubstr("s3://s3://b/p"));
  EXPECT_THAT(error.message, HasSubstr("more than one \"://\""));
}
TEST(TruthTable, Row13AnEmptyFolderIsMissing) {
  EXPECT_EQ(refusal_of("", kObject, scheme_variable("s3")).code, ErrorCode::kConfigMissing);
  EXPECT_EQ(refusal_of("", kFile).code, ErrorCode::kConfigMissing);
}
TEST(TruthTable, Row14ThereIsOneObjectMode) {
  // s3_torch is a storage type of the original's Python layer; here `object` is all there is, and it equals row 1.
  EXPECT_EQ(folder_of("s3://b/p", kObject), "s3://b/p/llama3-8b");
}
TEST(TruthTable, Row15LocalPath) {
  EXPECT_EQ(folder_of("/mnt/c", kFile), "/mnt/c/llama3-8b");
  EXPECT_EQ(written("/mnt/c", kFile), Written("", "/mnt/c/llama3-8b/W"));
}
TEST(TruthTable, Row16FileModeWithAnObjectUri) {
  for (const char* folder : {"s3://b/p", "gs://b/p", "az://a/c", "S3://b"}) {
    EXPECT_EQ(refusal_of(folder, kFile).code, ErrorCode::kConfigIncompatible) << folder;
  }
  EXPECT_EQ(refusal_of("s3a://b/p", kFile).code, ErrorCode::kConfigInvalid);
}
TEST(TruthTable, Row17ARelativePathIsMadeAbsolute) {
  EXPECT_EQ(folder_of("ckpt/x", kFile), std::filesystem::current_path().string() + "/ckpt/x/llama3-8b");
}
TEST(TruthTable, Row18FileUriInFileMode) {
  // Original: E401 from the path check.
  EXPECT_EQ(folder_of("file:///mnt/c", kFile), "/mnt/c/llama3-8b");
}
TEST(TruthTable, Row19ODirect) {
  EXPECT_EQ(folder_of("/mnt/c", kFile, kEmpty, true), "direct:///mnt/c/llama3-8b");
  EXPECT_EQ(folder_of("direct:///mnt/c", kFile), "direct:///mnt/c/llama3-8b");
}
TEST(TruthTable, Row20ODirectWithAnObjectUri) {
  EXPECT_EQ(refusal_of("s3://b/p", kFile, kEmpty, true).code, ErrorCode::kConfigIncompatible);
  EXPECT_EQ(refusal_of("s3://b/p", kObject, kEmpty, true).code, ErrorCode::kConfigIncompatible);
}
TEST(TruthTable, Row21AStaleVariableCantTouchFileOrDirectMode) {
  const Environment stale =
      variables({{"MLPSTORAGE_CHECKPOINT_URI_SCHEME", "s3"}, {"STORAGE_URI_SCHEME", "nonsense"}, {"BUCKET", "other"}});
  EXPECT_EQ(folder_of("/mnt/c", kFile, stale), "/mnt/c/llama3-8b");
  EXPECT_EQ(folder_of("/mnt/c", kFile, stale, true), "direct:///mnt/c/llama3-8b");
  EXPECT_EQ(folder_of("ckpt", kFile, stale), folder_of("ckpt", kFile));
}

// --- The writer factory matrix ---------------------------------------------------------------------------------------

TEST(WriterMatrix, OneLocationServesEveryWriter) {
  EXPECT_EQ(written("bucket/x", kObject, scheme_variable("s3")), Written("bucket", "x/llama3-8b/W"));
  EXPECT_EQ(written("bucket/x", kObject), Written("bucket", "x/llama3-8b/W"));  // original: local disk or ValueError
  EXPECT_EQ(written("/abs/x", kFile), Written("", "/abs/x/llama3-8b/W"));
  EXPECT_EQ(written("s3://b/x", kObject, scheme_variable("gs")), Written("b", "x/llama3-8b/W"));
}

// --- The 21 behaviours -----------------------------------------------------------------------------------------------

TEST(Behaviours, B01S3UriKeepsBucketPrefixAndModel) {
  EXPECT_EQ(written("s3://mybucket/ckpt", kObject), Written("mybucket", "ckpt/llama3-8b/W"));
}
TEST(Behaviours, B02AzureUri) {
  EXPECT_EQ(folder_of("az://container/ckpt", kObject), "az://container/ckpt/llama3-8b");
}
TEST(Behaviours, B03GsUri) {
  EXPECT_EQ(written("gs://bucket/ckpt", kObject), Written("bucket", "ckpt/llama3-8b/W"));
}
TEST(Behaviours, B04BareFolder) {
  EXPECT_EQ(written("bucket/ckpt", kObject), Written("bucket", "ckpt/llama3-8b/W"));
}
TEST(Behaviours, B05LocalModeNeverStripsAScheme) {
  // The original passes it on for a guardrail to refuse; ours refuses at once, naming the folder as given.
  const Error error = refusal_of("s3://mybucket/ckpt", kFile);
  EXPECT_THAT(error.message, HasSubstr("s3://mybucket/ckpt"));
}
TEST(Behaviours, B06DirectModeLeavesThePathAlone) {
  EXPECT_EQ(written("/mnt/ckpts", kFile, kEmpty, true), Written("", "/mnt/ckpts/llama3-8b/W"));
}
TEST(Behaviours, B07TheSchemeOfTheFolderReachesTheWriter) {
  EXPECT_EQ(checkpoint_location("s3://mybucket/ckpt", kObject, false, kEmpty)->scheme(), Scheme::kS3);
}
TEST(Behaviours, B08EachSchemeReachesTheWriter) {
  const std::map<std::string, Scheme> schemes = {{"s3", Scheme::kS3}, {"az", Scheme::kAzure}, {"gs", Scheme::kGs}};
  for (const auto& [name, scheme] : schemes) {
    EXPECT_EQ(checkpoint_location(name + "://bucket/ckpt", kObject, false, kEmpty)->scheme(), scheme) << name;
  }
}
TEST(Behaviours, B09AnEmptyFolderDecidesNothing) {
  EXPECT_EQ(refusal_of("", kObject).code, ErrorCode::kConfigMissing);
}
TEST(Behaviours, B10AQualifiedLocationIsNotChangedByTheVariable) {
  const Environment s3 = scheme_variable("s3");
  EXPECT_EQ(folder_of("s3://b/x", kObject, s3), "s3://b/x/llama3-8b");
  EXPECT_EQ(folder_of("file:///mnt/x", kFile, s3), "/mnt/x/llama3-8b");
  EXPECT_EQ(folder_of("direct:///mnt/x", kFile, s3), "direct:///mnt/x/llama3-8b");
}
TEST(Behaviours, B11WithoutVariableAPathStaysAPath) {
  EXPECT_EQ(folder_of("/local/abs/path", kFile), "/local/abs/path/llama3-8b");
  EXPECT_EQ(folder_of("bucket/relative", kFile),
            std::filesystem::current_path().string() + "/bucket/relative/llama3-8b");
}
TEST(Behaviours, B12VariableS3QualifiesABareKey) {
  EXPECT_EQ(folder_of("bucket/path", kObject, scheme_variable("s3")), "s3://bucket/path/llama3-8b");
}
TEST(Behaviours, B13VariableAz) {
  EXPECT_EQ(folder_of("container/path", kObject, scheme_variable("az")), "az://container/path/llama3-8b");
}
TEST(Behaviours, B14VariableGs) {
  EXPECT_EQ(folder_of("bucket/path", kObject, scheme_variable("gs")), "gs://bucket/path/llama3-8b");
}
TEST(Behaviours, B15AnEmptyVariableAddsNothing) {
  EXPECT_EQ(folder_of("bucket/path", kObject, scheme_variable("")), folder_of("bucket/path", kObject));
}
TEST(Behaviours, B16TheWriterGetsAQualifiedLocation) {
  const auto location = checkpoint_location("bucket/x", kObject, false, scheme_variable("s3"));
  ASSERT_TRUE(location);
  EXPECT_TRUE(location->is_object_store());
  EXPECT_EQ(location->to_string(), "s3://bucket/x");
}
TEST(Behaviours, B17TheSameForAnExplicitLibrary) {
  const Environment explicit_library =
      variables({{"MLPSTORAGE_CHECKPOINT_URI_SCHEME", "s3"}, {"STORAGE_LIBRARY", "s3dlio"}});
  EXPECT_EQ(folder_of("bucket/x", kObject, explicit_library), "s3://bucket/x/llama3-8b");
}
TEST(Behaviours, B18AnAbsolutePathIsWrittenByTheFileWriter) {
  const auto location = checkpoint_location("/local/abs/path", kFile, false, kEmpty);
  ASSERT_TRUE(location);
  EXPECT_EQ(location->scheme(), Scheme::kFile);
  EXPECT_EQ(location->key_of("file.pt"), "/local/abs/path/file.pt");
}
TEST(Behaviours, B19AQualifiedUriIsUnchanged) {
  EXPECT_EQ(checkpoint_location("s3://b/x", kObject, false, scheme_variable("s3"))->to_string(), "s3://b/x");
}
TEST(Behaviours, B20TheEndpointListDoesNotMatter) {
  const Environment one_endpoint =
      variables({{"MLPSTORAGE_CHECKPOINT_URI_SCHEME", "s3"}, {"AWS_ENDPOINT_URL", "http://127.0.0.1:1"}});
  EXPECT_EQ(folder_of("bucket/x", kObject, one_endpoint), "s3://bucket/x/llama3-8b");
}
TEST(Behaviours, B21WithoutVariableABareFolderIsS3) {
  // Original: ValueError "Unsupported URI scheme".
  EXPECT_EQ(folder_of("bucket/x", kObject), "s3://bucket/x/llama3-8b");
}

// --- Ours beyond them ------------------------------------------------------------------------------------------------

TEST(SchemeVariables, TheCheckpointVariableComesFirst) {
  const Environment both = variables({{"MLPSTORAGE_CHECKPOINT_URI_SCHEME", "gs"}, {"STORAGE_URI_SCHEME", "az"}});
  EXPECT_EQ(folder_of("b/p", kObject, both), "gs://b/p/llama3-8b");
  EXPECT_EQ(folder_of("a/c", kObject, variables({{"STORAGE_URI_SCHEME", "az"}})), "az://a/c/llama3-8b");
}
TEST(SchemeVariables, MayEndLikeAUriAndUseAliases) {
  for (const char* value : {"gs", "gs:", "gs:/", "gs://", "GS", "gcs", "gcs://"}) {
    EXPECT_EQ(folder_of("b/p", kObject, variables({{"STORAGE_URI_SCHEME", value}})), "gs://b/p/llama3-8b") << value;
  }
  EXPECT_EQ(folder_of("a/c", kObject, scheme_variable("azure")), "az://a/c/llama3-8b");
}
TEST(SchemeVariables, AnIllegalOneIsNamedWithTheLegalOnes) {
  for (const char* value : {"file", "direct", "null", "s3a", "s3://bucket", "x y", "://", ":"}) {
    const Error error = refusal_of("b/p", kObject, scheme_variable(value));
    EXPECT_EQ(error.code, ErrorCode::kConfigInvalid) << value;
    EXPECT_THAT(error.message, HasSubstr("MLPSTORAGE_CHECKPOINT_URI_SCHEME=\"" + std::string(value) + "\""));
    EXPECT_THAT(error.message, HasSubstr("s3, gs (gcs) and az (azure)"));
  }
  EXPECT_THAT(refusal_of("b/p", kObject, variables({{"STORAGE_URI_SCHEME", "direct"}})).message,
              HasSubstr("STORAGE_URI_SCHEME=\"direct\""));
}
TEST(SchemeVariables, AQualifiedFolderDoesNotLookAtThem) {
  EXPECT_EQ(folder_of("s3://b/p", kObject, scheme_variable("nonsense")), "s3://b/p/llama3-8b");
}

TEST(CheckpointLocation, BucketIsNotPrepended) {
  EXPECT_EQ(folder_of("b/p", kObject, variables({{"BUCKET", "other"}})), "s3://b/p/llama3-8b");
}
TEST(CheckpointLocation, ABareFolderIsCheckedLikeAUri) {
  EXPECT_THAT(refusal_of("b//p", kObject).message, HasSubstr("empty component"));
  EXPECT_THAT(refusal_of("b/../p", kObject).message, HasSubstr("has no meaning"));
  EXPECT_THAT(refusal_of("b/p?x", kObject).message, HasSubstr("query or fragment"));
  EXPECT_THAT(refusal_of("host:9000/b", kObject).message, HasSubstr("host and port"));
  EXPECT_THAT(refusal_of("s3:/b/p", kObject).message, HasSubstr("followed by \"://\""));
  EXPECT_THAT(refusal_of("b/s3://c", kObject).message, HasSubstr("inside a path"));
  EXPECT_THAT(refusal_of("container", kObject, scheme_variable("az")).message, HasSubstr("no container"));
}
TEST(CheckpointLocation, NullIsLegalInBothModes) {
  EXPECT_EQ(folder_of("null://", kObject), "null://llama3-8b");
  EXPECT_EQ(folder_of("null://", kFile), "null://llama3-8b");
  EXPECT_EQ(refusal_of("null://", kFile, kEmpty, true).code, ErrorCode::kConfigIncompatible);
}
TEST(CheckpointLocation, ODirectTakesAFileUriToo) {
  EXPECT_EQ(folder_of("file:///mnt/c/", kFile, kEmpty, true), "direct:///mnt/c/llama3-8b");
  EXPECT_EQ(folder_of("direct:///mnt/c", kFile, kEmpty, true), "direct:///mnt/c/llama3-8b");
}

}  // namespace
}  // namespace mlps
