#include "io/stats.hpp"

namespace mlps::io {

void merge(Stats& into, const Stats& from) {
  into.begin_ns.merge(from.begin_ns);
  into.part_ns.merge(from.part_ns);
  into.first_byte_ns.merge(from.first_byte_ns);
  into.commit_ns.merge(from.commit_ns);
  into.times.prepare_ns += from.times.prepare_ns;
  into.times.submit_ns += from.times.submit_ns;
  into.times.wait_ns += from.times.wait_ns;
  into.times.idle_ns += from.times.idle_ns;
  into.times.other_ns += from.times.other_ns;
  into.times.exposed_ns += from.times.exposed_ns;
  into.bytes += from.bytes;
  into.bytes_verified += from.bytes_verified;
  into.parts += from.parts;
  into.objects += from.objects;
  into.retries += from.retries;
  into.retried_bytes += from.retried_bytes;
}

}  // namespace mlps::io
