
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lines.hpp"
#include "scratch.hpp"

namespace mlps::cli {
namespace {

using test::has_error;
using test::rendered;
using test::Scratch;
using ::testing::ElementsAre;
using ::testing::Pair;

class Parse : public ::testing::Test {
 protected:
  ParsedCheckpointing parse(const std::vector<std::string>& line) { return parse(line, scratch_.environment()); }
  ParsedCheckpointing parse(const std::vector<std::string>& line, const Environment& environment) {
    EXPECT_EQ(test::grammar().resolve(line).kind, Resolution::Kind::kCommand);
    return parse_checkpointing(test::line_of_words(line, environment, scratch_.path("program")));
  }
  Scratch scratch_;
};

TEST_F(Parse, DatasizeJustStarts) {
  const auto parsed = parse({"closed", "checkpointing", "datasize", "--model", "llama3-405b", "--num-processes", "512",
                             "--client-host-memory-in-gb", "512"});
  EXPECT_TRUE(parsed.errors.empty()) << rendered(parsed.errors);
  const CheckpointingOptions& options = parsed.options;
  EXPECT_EQ(options.which, CheckpointingCommand::kDatasize);
  EXPECT_EQ(options.common.mode, Mode::kClosed);
  EXPECT_EQ(options.model, "llama3-405b");
  EXPECT_EQ(options.num_processes, 512u);
  EXPECT_EQ(options.client_host_memory_gib, 512);
  EXPECT_EQ(options.client_host_memory_by, "");
  EXPECT_FALSE(options.protocol);
}

// The table's defaults and the struct's are one: a minimal command gives a default-made value.
TEST_F(Parse, DefaultsAreThoseOfTheStruct) {
  const CheckpointingOptions& options =
      parse({"whatif", "checkpointing", "datasize", "-m", "llama3-8b", "-np", "8"}).options;
  const CheckpointingOptions fresh;
  EXPECT_EQ(options.num_checkpoints_write, fresh.num_checkpoints_write);
  EXPECT_EQ(options.num_checkpoints_read, fresh.num_checkpoints_read);
  EXPECT_EQ(options.timeseries_interval_s, fresh.timeseries_interval_s);
  EXPECT_EQ(options.max_timeseries_samples, fresh.max_timeseries_samples);
  EXPECT_EQ(options.size_scale, fresh.size_scale);
  EXPECT_EQ(options.payload, fresh.payload);
  EXPECT_EQ(options.seed, fresh.seed);
  EXPECT_EQ(options.io_workers, fresh.io_workers);
  EXPECT_EQ(options.io_depth, fresh.io_depth);
  EXPECT_EQ(options.io_part_bytes, fresh.io_part_bytes);
  EXPECT_EQ(options.io_memory_bytes, fresh.io_memory_bytes);
  EXPECT_EQ(options.fadvise, fresh.fadvise);
  EXPECT_EQ(options.common.loops, fresh.common.loops);
  EXPECT_EQ(options.common.stream_log_level, fresh.common.stream_log_level);
  EXPECT_EQ(options.common.color, fresh.common.color);
  EXPECT_EQ(options.hosts.hosts, fresh.hosts.hosts);
  EXPECT_EQ(options.hosts.mpi_bin, fresh.hosts.mpi_bin);
  EXPECT_EQ(options.hosts.mpi_btl, fresh.hosts.mpi_btl);
  EXPECT_EQ(options.hosts.exec_type, fresh.hosts.exec_type);
  EXPECT_NE(options.client_host_memory_by, "");
  EXPECT_GT(options.client_host_memory_gib, 0.1);
}

TEST_F(Parse, EveryFlagOfRunArrives) {
  const auto parsed = parse({"whatif",
                             "checkpointing",
                             "run",
                             "object",
                             "-m",
                             "llama3-70b",
                             "-np",
                             "64",
                             "-cm",
                             "1.5",
                             "-rd",
                             "/r",
                             "-sn",
                             "sys",
                             "-cf",
                             "s3://b/p",
                             "-ncw",
                             "3",
                             "-ncr",
                             "4",
                             "-at",
                             "h100",
                             "--loops",
                             "2",
                             "-p",
                             "a=1",
                             "-aip",
                             "--timeseries-interval",
                             "0.5",
                             "--skip-timeseries",
                             "--max-timeseries-samples",
                             "7",
                             "--size-scale",
                             "0.01",
                             "--verify",
                             "--payload",
                             "none",
                             "--seed",
                             "42",
                             "--io-workers",
                             "3",
                             "--io-depth",
                             "9",
                             "--io-part-size",
                             "8MiB",
                             "--io-memory",
                             "1GiB",
                             "--fadvise",
                             "sequential",
                             "--inject-fault",
                             "reset:write_part",
                             "--hosts",
                             "h1:2,h2",
                             "--oversubscribe",
                             "--mpi-params=-x A",
                             "--json",
                             "--quiet",
                             "--dry-run",
                             "--checkpoint-subset",
                             "--skip-fs-separation-gate",
                             "--color",
                             "never",
                             "--stream-log-level",
                             "ERROR"});
  EXPECT_TRUE(parsed.errors.empty()) << rendered(parsed.errors);
  const CheckpointingOptions& o = parsed.options;
  EXPECT_EQ(o.protocol, AccessProtocol::kObject);
  EXPECT_EQ(o.client_host_memory_gib, 1.5);
  EXPECT_EQ(o.common.results_dir, "/r");
  EXPECT_EQ(o.common.results_dir_source, "flag");
  EXPECT_EQ(o.checkpoint_folder, "s3://b/p");
  EXPECT_EQ(o.num_checkpoints_write, 3u);
  EXPECT_EQ(o.num_checkpoints_read, 4u);
  EXPECT_EQ(o.accelerator_type, "h100");
  EXPECT_EQ(o.common.loops, 2u);
  EXPECT_THAT(o.common.params, ElementsAre(Pair("a", "1")));
  EXPECT_TRUE(o.common.allow_invalid_params && o.skip_timeseries && o.verify && o.checkpoint_subset);
  EXPECT_EQ(o.timeseries_interval_s, 0.5);
  EXPECT_EQ(o.max_timeseries_samples, 7u);
  EXPECT_EQ(o.size_scale, 0.01);
  EXPECT_EQ(o.payload, checkpointing::PayloadMode::kNone);
  EXPECT_EQ(o.seed, 42u);
  EXPECT_EQ(o.io_workers, 3u);
  EXPECT_EQ(o.io_depth, 9u);
  EXPECT_EQ(o.io_part_bytes, 8 * kMiB);
  EXPECT_EQ(o.io_memory_bytes, kGiB);
  EXPECT_EQ(o.fadvise, storage::FadviseMode::kSequential);
  EXPECT_EQ(o.inject_fault, "reset:write_part");
  EXPECT_THAT(o.hosts.hosts, ElementsAre("h1:2", "h2"));
  EXPECT_TRUE(o.hosts.oversubscribe);
  EXPECT_THAT(o.hosts.mpi_params, ElementsAre("-x A"));
  EXPECT_TRUE(o.common.json && o.common.quiet && o.common.dry_run && o.common.skip_fs_separation_gate);
  EXPECT_EQ(o.common.color, ColorMode::kNever);
  EXPECT_EQ(o.common.stream_log_level, LogLevel::kError);
}

TEST_F(Parse, DebugAndVerboseLowerTheThreshold) {
  const std::vector<std::string> line = {"whatif", "checkpointing", "datasize", "-m", "llama3-8b", "-np", "8"};
  const auto level = [&](std::vector<std::string> more, const Environment& environment) {
    more.insert(more.begin(), line.begin(), line.end());
    return parse(more, environment).options.common.stream_log_level;
  };
  EXPECT_EQ(level({"--verbose"}, scratch_.environment()), LogLevel::kVerbose);
  EXPECT_EQ(level({"--debug", "--stream-log-level", "ERROR"}, scratch_.environment()), LogLevel::kDebug);
  EXPECT_EQ(level({}, scratch_.environment({{"MLPS_DEBUG", "True"}})), LogLevel::kDebug);
}

TEST_F(Parse, AllMissingOnesAreReportedTogetherInOrder) {
  const auto parsed = parse({"closed", "checkpointing", "run", "file"});
  std::vector<std::string> messages;
  for (const Error& error : parsed.errors) {
    EXPECT_EQ(exit_code(error.code), 2);
    messages.push_back(error.message);
  }
  EXPECT_THAT(messages, ElementsAre("--model is required", "--num-processes is required",
                                    "--client-host-memory-in-gb is required", "--results-dir is required",
                                    "--systemname is required", "--checkpoint-folder is required"));
}

TEST_F(Parse, ConfigviewNeedsNoFolder) {
  const auto parsed = parse({"open", "checkpointing", "configview", "file"});
  EXPECT_TRUE(has_error(parsed.errors, ErrorCode::kConfigMissing, "--results-dir is required"));
  EXPECT_TRUE(has_error(parsed.errors, ErrorCode::kConfigMissing, "--systemname is required"));
  EXPECT_FALSE(has_error(parsed.errors, ErrorCode::kConfigMissing, "--checkpoint-folder is required"));
}

TEST_F(Parse, WrongValuesOfSeveralFlagsAreReportedTogether) {
  const auto parsed = parse({"whatif", "checkpointing", "datasize", "-m", "llama4", "-np", "0", "--size-scale", "1.5",
                             "--io-part-size", "65537", "--io-memory", "none", "--hosts", ",", "-p", "x"});
  EXPECT_TRUE(has_error(parsed.errors, ErrorCode::kConfigInvalid, "--model"));
  EXPECT_TRUE(has_error(parsed.errors, ErrorCode::kConfigInvalid, "--num-processes"));
  EXPECT_TRUE(has_error(parsed.errors, ErrorCode::kConfigInvalid, "--size-scale"));
  EXPECT_TRUE(has_error(parsed.errors, ErrorCode::kConfigInvalid, "multiple of 4 KiB"));
  EXPECT_TRUE(has_error(parsed.errors, ErrorCode::kConfigInvalid, "--io-memory"));
  EXPECT_TRUE(has_error(parsed.errors, ErrorCode::kConfigInvalid, "--hosts: the list is empty"));
  EXPECT_TRUE(has_error(parsed.errors, ErrorCode::kConfigInvalid, "--params"));
  EXPECT_EQ(parsed.errors.size(), 7u) << rendered(parsed.errors);
}

TEST_F(Parse, IoMemoryHoldsAtLeastOnePart) {
  const auto parsed = parse({"whatif", "checkpointing", "datasize", "-m", "llama3-8b", "-np", "8", "--io-part-size",
                             "64MiB", "--io-memory", "32MiB"});
  EXPECT_TRUE(has_error(parsed.errors, ErrorCode::kConfigInvalid, "--io-memory")) << rendered(parsed.errors);
}

TEST_F(Parse, WhatMeansNothingIsAWarning) {
  const auto parsed = parse({"whatif", "checkpointing", "datasize", "-m", "llama3-8b", "-np", "8", "-dp", "/opt/dlio"});
  EXPECT_TRUE(parsed.errors.empty()) << rendered(parsed.errors);
  EXPECT_THAT(parsed.warnings, ElementsAre(::testing::HasSubstr("--dlio-bin-path")));
}

TEST_F(Parse, TimeSeriesFlagsHaveTheirLimits) {
  const std::vector<std::string> run = {"whatif", "checkpointing", "run",     "file", "-m", "llama3-8b", "-np",
                                        "8",      "-cf",           "null://", "-rd",  "/r", "-sn",       "s"};
  const auto with = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = run;
    arguments.insert(arguments.end(), more.begin(), more.end());
    return parse(arguments);
  };
  EXPECT_TRUE(with({"--timeseries-interval", "0.01", "--max-timeseries-samples", "2"}).errors.empty());
  EXPECT_TRUE(has_error(with({"--timeseries-interval", "0.009"}).errors, ErrorCode::kConfigInvalid, "0.01 or more"));
  EXPECT_TRUE(has_error(with({"--max-timeseries-samples", "1"}).errors, ErrorCode::kConfigInvalid, "2 to"));
  EXPECT_EQ(with({"--timeseries-interval", "none"}).errors.size(), 1U);
  EXPECT_TRUE(has_error(with({"--timeseries-interval", "1e308"}).errors, ErrorCode::kConfigInvalid, "up to 86400"));
}

// What no host has would overflow the numbers that are made of it.
TEST_F(Parse, MemoryOfAHostHasALimit) {
  const auto with = [&](const char* gib) {
    return parse({"whatif", "checkpointing", "datasize", "-m", "llama3-8b", "-np", "8", "-cm", gib});
  };
  EXPECT_TRUE(with("1e9").errors.empty());
  for (const char* gib : {"1e308", "1.1e9", "inf", "nan", "0", "-1"}) {
    EXPECT_TRUE(has_error(with(gib).errors, ErrorCode::kConfigInvalid, "--client-host-memory-in-gb")) << gib;
  }
}

}  // namespace
}  // namespace mlps::cli
