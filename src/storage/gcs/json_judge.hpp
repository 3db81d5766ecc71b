#pragma once

#include <span>
#include <string>

#include "storage/gcs/settings.hpp"
#include "storage/object/call.hpp"
#include "storage/object/verdict.hpp"

/// What the answers of the JSON API mean.
namespace mlps::gcs {

object::ServerError json_error(const http::Exchange& answer);
std::span<const object::ErrorRule> json_error_rules();

/// Changes the verdict on an error answer where reason and status alone don't decide: a token that was refused may be
/// renewed.
void refine_json_verdict(const Settings& settings, const object::Call& call, object::Verdict& verdict);

/// Returns whether a 404 is about the bucket instead of an object in it.
bool names_missing_bucket(const http::Exchange& answer);

/// Judges the description of an object just made: its size must be call.object_bytes, and its CRC32C call.checksum.
object::Verdict judge_written(const object::Call& call);
/// Judges the answers of a batch of call.object_bytes deletions; what was gone already counts as deleted.
object::Verdict judge_batch(const object::Call& call);
/// Judges a read: its generation must be call.if_match if that is known, and the CRC32C of a whole object that of the
/// bytes received.
object::Verdict judge_read(const object::Call& call);

/// Returns what to do about a call that is given up; empty where nothing is special to this API.
std::string json_advice(const Settings& settings, const std::string& bucket, const object::Call& call,
                        const object::Verdict& verdict);

}  // namespace mlps::gcs
