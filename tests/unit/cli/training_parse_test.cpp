#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "lines.hpp"
#include "scratch.hpp"

namespace mlps::cli {
namespace {

using test::has_error;
using test::rendered;
using test::Scratch;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

class TrainingParse : public ::testing::Test {
 protected:
  ParsedTraining parse(const std::vector<std::string>& line, const Environment& environment) {
    EXPECT_EQ(test::grammar().resolve(line).kind, Resolution::Kind::kCommand);
    return parse_training(test::line_of_words(line, environment, scratch_.path("program")));
  }
  ParsedTraining parse(const std::vector<std::string>& line) { return parse(line, scratch_.environment()); }
  Scratch scratch_;
};

const std::vector<std::string> kTrainingRunLine = {"closed", "training", "unet3d", "run", "file", "-na",
                                                   "8",      "-at",      "b200",   "-cm", "256",  "-rd",
                                                   "/r",     "-sn",      "box",    "-dd", "/data"};

TEST_F(TrainingParse, ARunWithTheShortForms) {
  const auto parsed = parse(kTrainingRunLine);
  ASSERT_TRUE(parsed.errors.empty()) << rendered(parsed.errors);
  const TrainingOptions& options = parsed.options;
  EXPECT_EQ(options.which, TrainingCommand::kRun);
  EXPECT_EQ(options.model, "unet3d");
  EXPECT_EQ(options.processes, 8u);
  EXPECT_EQ(options.accelerator_type, "b200");
  EXPECT_EQ(options.client_host_memory_gib, 256);
  EXPECT_EQ(options.data_dir, "/data");
  EXPECT_EQ(options.num_client_hosts, 1u);
  EXPECT_EQ(options.protocol, AccessProtocol::kFile);
}

TEST_F(TrainingParse, MaxSearchesInWhatif) {
  std::vector<std::string> line = kTrainingRunLine;
  line[6] = "max";
  const auto closed = parse(line);
  EXPECT_TRUE(has_error(closed.errors, ErrorCode::kConfigInvalid, "'max' is not a number, which closed mode needs"))
      << rendered(closed.errors);
  line[0] = "whatif";
  const auto whatif = parse(line);
  ASSERT_TRUE(whatif.errors.empty()) << rendered(whatif.errors);
  EXPECT_TRUE(whatif.options.searches);
  EXPECT_EQ(whatif.options.processes, 1u);
  EXPECT_EQ(*whatif.options.arguments.find("num_accelerators"), Json("max"));
  line.insert(line.end(), {"--loops", "2"});
  EXPECT_TRUE(has_error(parse(line).errors, ErrorCode::kConfigInvalid, "--num-accelerators max with --loops"));
  line[6] = "4";
  EXPECT_FALSE(parse(line).options.searches);
}

TEST_F(TrainingParse, DefaultsAreThoseOfTheStruct) {
  const TrainingOptions& options = parse(kTrainingRunLine).options;
  const TrainingOptions fresh;
  EXPECT_EQ(options.read_ahead_bytes, fresh.read_ahead_bytes);
  EXPECT_EQ(options.drop_caches_timeout_s, fresh.drop_caches_timeout_s);
  EXPECT_EQ(options.io_part_bytes, fresh.io_part_bytes);
  EXPECT_EQ(options.io_memory_bytes, fresh.io_memory_bytes);
  EXPECT_EQ(options.fadvise, fresh.fadvise);
  EXPECT_EQ(options.seed, fresh.seed);
  EXPECT_EQ(options.common.loops, fresh.common.loops);
}

TEST_F(TrainingParse, OneProcessCountUnderThreeNames) {
  EXPECT_EQ(
      parse({"closed", "training", "unet3d", "datasize", "-ma", "16", "-at", "b200", "-cm", "1"}).options.processes,
      16u);
  EXPECT_EQ(parse({"open", "training", "retinanet", "datagen", "object", "-np", "5"}).options.processes, 5u);
  EXPECT_EQ(parse({"whatif", "training", "flux", "configview", "file", "-na", "3"}).options.processes, 3u);
  EXPECT_TRUE(has_error(parse({"closed", "training", "unet3d", "run", "file", "-np", "5"}).errors,
                        ErrorCode::kConfigInvalid, "--num-processes is not a flag of 'run'"));
}

TEST_F(TrainingParse, EveryMissingFlagIsReported) {
  const auto run = parse({"closed", "training", "unet3d", "run"});
  const std::string text = rendered(run.errors);
  for (const char* flag : {"'file' or 'object' is missing", "--num-accelerators is required",
                           "--client-host-memory-in-gb is required", "--results-dir is required",
                           "--systemname is required", "--data-dir is required", "--accelerator-type is required"}) {
    EXPECT_THAT(text, HasSubstr(flag));
  }
  EXPECT_EQ(run.errors.size(), 7u) << text;
  const auto datasize = parse({"closed", "training", "unet3d", "datasize"});
  EXPECT_EQ(datasize.errors.size(), 3u) << rendered(datasize.errors);
  const auto datagen = parse({"closed", "training", "unet3d", "datagen", "file"});
  EXPECT_EQ(datagen.errors.size(), 4u) << rendered(datagen.errors);
  const auto configview = parse({"whatif", "training", "unet3d", "configview", "file"});
  EXPECT_EQ(configview.errors.size(), 2u) << rendered(configview.errors);
}

TEST_F(TrainingParse, DataDirHasALayerAndARetiredName) {
  std::vector<std::string> line = kTrainingRunLine;
  line.resize(line.size() - 2);
  EXPECT_EQ(parse(line, scratch_.environment({{"MLPSTORAGE_DATA_DIR", "/env"}})).options.data_dir, "/env");
  const auto retired = parse(line, scratch_.environment({{"MLPERF_DATA_DIR", "/old"}}));
  EXPECT_EQ(retired.options.data_dir, "/old");
  EXPECT_THAT(retired.warnings, ::testing::ElementsAre(HasSubstr("rename it to MLPSTORAGE_DATA_DIR")));
}

TEST_F(TrainingParse, ParamsInClosedToo) {
  std::vector<std::string> line = kTrainingRunLine;
  for (const char* word :
       {"--param", "reader.read_threads=8", "--params", "dataset.num_files_train=7", "-p", "a.b=c=d"}) {
    line.emplace_back(word);
  }
  const auto parsed = parse(line);
  ASSERT_TRUE(parsed.errors.empty()) << rendered(parsed.errors);
  EXPECT_THAT(parsed.options.common.params,
              ElementsAre(Pair("reader.read_threads", "8"), Pair("dataset.num_files_train", "7"), Pair("a.b", "c=d")));
}

TEST_F(TrainingParse, WhatOnlySomeModesHave) {
  for (const std::vector<std::string>& more :
       std::vector<std::vector<std::string>>{{"--loops", "2"},
                                             {"--inject-fault", "x"},
                                             {"--workload-file", scratch_.write("own.yaml", "")},
                                             {"--allow-invalid-params"}}) {
    std::vector<std::string> line = kTrainingRunLine;
    line.insert(line.end(), more.begin(), more.end());
    EXPECT_TRUE(has_error(parse(line).errors, ErrorCode::kConfigInvalid, "is not available in closed mode")) << more[0];
    line[0] = "whatif";
    EXPECT_TRUE(parse(line).errors.empty()) << more[0];
  }
  std::vector<std::string> line = kTrainingRunLine;
  line[8] = "h100";
  EXPECT_TRUE(has_error(parse(line).errors, ErrorCode::kConfigInvalid, "'h100' is not one of: b200, mi355"));
}

TEST_F(TrainingParse, ClientHostsAreCountedUnlessGiven) {
  std::vector<std::string> line = kTrainingRunLine;
  line.insert(line.end(), {"--hosts", "a,b,c"});
  EXPECT_EQ(parse(line).options.num_client_hosts, 3u);
  line.insert(line.end(), {"-nc", "7"});
  EXPECT_EQ(parse(line).options.num_client_hosts, 7u);
}

TEST_F(TrainingParse, TheArgsOfTheMetadata) {
  const auto json = nlohmann::json::parse(parse(kTrainingRunLine).options.arguments.dump());
  EXPECT_EQ(json["num_accelerators"], 8);
  EXPECT_EQ(json["accelerator_type"], "b200");
  EXPECT_EQ(json["client_host_memory_in_gb"], 256.0);
  EXPECT_EQ(json["data_dir"], "/data");
  EXPECT_EQ(json["read_ahead_bytes"], nullptr) << "as the workload says";
  EXPECT_EQ(json["io_part_bytes"], nullptr) << "by the kind of storage";
  EXPECT_EQ(json["hosts"], nlohmann::json({"127.0.0.1"}));
  EXPECT_EQ(json["stream_log_level"], "INFO");
  EXPECT_EQ(json["skip_validation"], false);
  EXPECT_EQ(json["seed"], nullptr);
  EXPECT_EQ(json["params"], nlohmann::json::array());
  const auto size =
      nlohmann::json::parse(parse({"closed", "training", "unet3d", "datasize", "-ma", "16", "-at", "b200", "-cm", "1"})
                                .options.arguments.dump());
  EXPECT_EQ(size["max_accelerators"], 16);
  EXPECT_FALSE(size.contains("o_direct"));
}

}  // namespace
}  // namespace mlps::cli
