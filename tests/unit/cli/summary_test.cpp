#include "cli/summary.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.hpp"
#include "lines.hpp"
#include "scratch.hpp"

namespace mlps::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string summary(const CheckpointingOptions& options, const Environment& environment = Environment()) {
  return join(test::summary_of(options, environment), "\n");
}

TEST(Summary, ShowsTheModelAndWhatIsNotSet) {
  CheckpointingOptions options;
  options.model = "llama3-8b";
  options.which = CheckpointingCommand::kRun;
  options.protocol = AccessProtocol::kFile;
  options.checkpoint_folder = "/mnt/ckpt";
  const std::string text = summary(options);
  EXPECT_THAT(text, HasSubstr("  model                           llama3-8b\n"));
  EXPECT_THAT(text, HasSubstr("  checkpoint_folder               /mnt/ckpt\n"));
  EXPECT_THAT(text, HasSubstr("  systemname                      [not set]\n"));
  EXPECT_THAT(text, Not(HasSubstr("Object Storage")));
}

TEST(Summary, OfATrainingCommand) {
  TrainingOptions options;
  options.benchmark = "training";
  options.model = "unet3d";
  options.which = TrainingCommand::kRun;
  options.protocol = AccessProtocol::kFile;
  options.processes = 8;
  options.data_dir = "/mnt/data";
  std::string text = join(test::summary_of(options), "\n");
  EXPECT_THAT(text, HasSubstr("  benchmark                       training\n"));
  EXPECT_THAT(text, HasSubstr("  model                           unet3d\n"));
  EXPECT_THAT(text, HasSubstr("  data_dir                        /mnt/data\n"));
  EXPECT_THAT(text, HasSubstr("  num_accelerators                8\n"));
  EXPECT_THAT(text, Not(HasSubstr("checkpoints")));
  options.which = TrainingCommand::kDatagen;
  text = join(test::summary_of(options), "\n");
  EXPECT_THAT(text, HasSubstr("  num_processes                   8\n"));
}

TEST(Summary, ShowsOfCredentialsOnlyTheirLength) {
  CheckpointingOptions options;
  options.protocol = AccessProtocol::kObject;
  options.checkpoint_folder = "s3://bkt/p";
  Environment environment(test::Variables{{"AWS_ACCESS_KEY_ID", "AKIASECRET"},
                                          {"AWS_SECRET_ACCESS_KEY", "verysecret!!"},
                                          {"AWS_ENDPOINT_URL", "http://127.0.0.1:7480"},
                                          {"STORAGE_LIBRARY", "garbage"}});
  std::string text = summary(options, environment);
  EXPECT_THAT(text, HasSubstr("  aws_access_key_id               set, 10 chars\n"));
  EXPECT_THAT(text, HasSubstr("  aws_secret_access_key           set, 12 chars\n"));
  EXPECT_THAT(text, HasSubstr("  endpoint                        http://127.0.0.1:7480\n"));
  EXPECT_THAT(text, HasSubstr("  endpoint source                 AWS_ENDPOINT_URL\n"));
  EXPECT_THAT(text, HasSubstr("  region                          us-east-1\n"));
  EXPECT_THAT(text, Not(HasSubstr("garbage"))) << "nobody reads it";
  EXPECT_THAT(text, Not(HasSubstr("verysecret")));
  EXPECT_THAT(text, Not(HasSubstr("AKIA")));
  environment.set("AWS_ACCESS_KEY_ID", "");  // as if the keys came from a profile
  EXPECT_THAT(summary(options, environment), Not(HasSubstr("aws_access_key_id")));
  environment.set("AWS_ACCESS_KEY_ID", "AKIASECRET");
  environment.set("AWS_ENDPOINT_URL_S3", "http://user:verysecret@127.0.0.1:7480/x");  // refused by the store
  EXPECT_THAT(summary(options, environment), Not(HasSubstr("verysecret")));
}

// The endpoint shown is the one that is asked: the more special variable wins, and gs:// has its own.
TEST(Summary, ShowsTheEndpointInForce) {
  CheckpointingOptions options;
  options.protocol = AccessProtocol::kObject;
  options.checkpoint_folder = "s3://bkt/p";
  const Environment environment(test::Variables{{"AWS_ACCESS_KEY_ID", "id"},
                                                {"AWS_SECRET_ACCESS_KEY", "key"},
                                                {"BUCKET", "another"},
                                                {"AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9001"},
                                                {"AWS_ENDPOINT_URL", "http://127.0.0.1:9002"}});
  EXPECT_THAT(summary(options, environment), HasSubstr("  endpoint                        http://127.0.0.1:9001\n"));
  EXPECT_THAT(summary(options, environment), HasSubstr("  bucket                          bkt\n"));
  options.checkpoint_folder = "gs://bkt/p";
  EXPECT_THAT(summary(options, environment),
              HasSubstr("  endpoint                        https://storage.googleapis.com\n"));
}

}  // namespace
}  // namespace mlps::cli
