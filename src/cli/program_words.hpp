#pragma once

#include "flags/grammar.hpp"

/// The words of the program itself, which stand outside of the modes.
namespace mlps::cli {

inline constexpr CommandMask kInit = own_command(0);
inline constexpr CommandMask kVersion = own_command(1);
inline constexpr CommandMask kConfigShow = own_command(2);
inline constexpr CommandMask kConfigSet = own_command(3);
inline constexpr CommandMask kConfigUnset = own_command(4);
inline constexpr CommandMask kConfigPath = own_command(5);
inline constexpr CommandMask kOfConfig = kConfigShow | kConfigSet | kConfigUnset | kConfigPath;
inline constexpr CommandMask kHistoryShow = own_command(6);
inline constexpr CommandMask kHistoryRerun = own_command(7);
inline constexpr CommandMask kHelp = own_command(8);
inline constexpr CommandMask kObjectLs = own_command(9);
inline constexpr CommandMask kObjectStat = own_command(10);
inline constexpr CommandMask kObjectRm = own_command(11);
inline constexpr CommandMask kObjectCp = own_command(12);
inline constexpr CommandMask kObjectDu = own_command(13);
inline constexpr CommandMask kObjectUploads = own_command(14);
inline constexpr CommandMask kOfObject = kObjectLs | kObjectStat | kObjectRm | kObjectCp | kObjectDu | kObjectUploads;
inline constexpr CommandMask kRulesList = own_command(15);
inline constexpr CommandMask kRulesExplain = own_command(16);
inline constexpr CommandMask kValidate = own_command(17);
inline constexpr CommandMask kReportgen = own_command(18);
inline constexpr CommandMask kReport = own_command(30);
inline constexpr CommandMask kRunsList = own_command(19);
inline constexpr CommandMask kRunsShow = own_command(20);
inline constexpr CommandMask kRunsRm = own_command(21);
inline constexpr CommandMask kRunsPurge = own_command(22);
inline constexpr CommandMask kRunsGc = own_command(23);
inline constexpr CommandMask kOfRuns = kRunsList | kRunsShow | kRunsRm | kRunsPurge | kRunsGc;
inline constexpr CommandMask kStatus = own_command(24);
inline constexpr CommandMask kSubmit = own_command(25);
inline constexpr CommandMask kCompare = own_command(26);
inline constexpr CommandMask kLockGenerate = own_command(27);
inline constexpr CommandMask kLockVerify = own_command(28);
inline constexpr CommandMask kCoverage = own_command(29);
inline constexpr CommandMask kCompletion = own_command(40);
inline constexpr CommandMask kMan = own_command(41);
inline constexpr CommandMask kReplay = own_command(42);
inline constexpr CommandMask kTry = own_command(43);
inline constexpr CommandMask kExamples = own_command(44);

const CommandGroup& program_words();

}  // namespace mlps::cli
