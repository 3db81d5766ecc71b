#include "results/series_stream.hpp"

#include <algorithm>

#include "results/sample_json.hpp"
#include "world/archive.hpp"

namespace mlps::results {
namespace {

constexpr const char* kPackedSeries = "time series";
constexpr size_t kPieceBytes = size_t{1} << 20;
constexpr int64_t kNanosPerMicro = 1000;

bool is_first_of_its_host(const std::vector<world::Member>& members, uint32_t process) {
  return std::none_of(members.begin(), members.begin() + process,
                      [&](const world::Member& member) { return member.host == members[process].host; });
}

}  // namespace

template <class Archive, world::Is<SeriesHead> H>
void fields(Archive& archive, H& head) {
  archive(head.host, head.requested_interval_s, head.interval_s, head.start_us, head.end_us, head.samples,
          head.samples_taken, head.cost_ns);
}

world::Bytes pack(const SeriesHead& head) {
  return world::pack(kPackedSeries, head);
}

Result<SeriesHead> unpack_series_head(const std::string& whose, std::string_view bytes) {
  return world::unpack<SeriesHead>(kPackedSeries, whose, bytes);
}

SeriesStream::SeriesStream(const world::TimeSeries& series, const std::vector<world::Member>& members, uint32_t process)
    : series_(series),
      host_(members[process].host),
      speaks_(is_first_of_its_host(members, process)),
      clock_ahead_us_(members[process].clock.wall_ns / kNanosPerMicro) {}

int64_t SeriesStream::shifted_us(const world::HostSample& sample) const {
  return sample.at.wall_us - clock_ahead_us_;
}

world::Bytes SeriesStream::next() {
  if (!speaks_) return {};
  if (!head_given_) {
    head_given_ = true;
    return pack(SeriesHead{host_, series_.requested_interval_s, series_.interval_s, shifted_us(series_.samples.front()),
                           shifted_us(series_.samples.back()), series_.samples.size(), series_.samples_taken,
                           series_.cost_ns});
  }
  world::Bytes piece;
  for (; given_ < series_.samples.size() && piece.size() < kPieceBytes; ++given_) {
    const world::HostSample& sample = series_.samples[given_];
    piece += given_ == 0 ? "\n" : ",\n";
    piece += sample_json(host_, sample, shifted_us(sample)).dump();
  }
  return piece;
}

}  // namespace mlps::results
