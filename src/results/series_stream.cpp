#include "results/series_stream.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "results/sample_json.hpp"
#include "world/packet.hpp"

namespace mlps::results {
namespace {

constexpr size_t kPieceBytes = size_t{1} << 20;
constexpr int64_t kNanosPerMicro = 1000;

bool is_first_of_its_host(const world::Transport& transport) {
  const auto& members = transport.members();
  const auto first = std::find_if(members.begin(), members.end(), [&](const world::Member& member) {
    return member.host == members[transport.index()].host;
  });
  return first - members.begin() == static_cast<std::ptrdiff_t>(transport.index());
}

}  // namespace

world::Bytes pack(const SeriesHead& head) {
  world::Packer out;
  out.text(head.host).real(head.requested_interval_s).real(head.interval_s);
  out.integer(head.start_us).integer(head.end_us).number(head.samples).number(head.samples_taken);
  out.integer(head.cost_ns);
  return out.take();
}

Result<SeriesHead> unpack_series_head(std::string_view bytes) {
  world::Unpacker in(bytes);
  SeriesHead head;
  head.host = in.text();
  head.requested_interval_s = in.real();
  head.interval_s = in.real();
  head.start_us = in.integer();
  head.end_us = in.integer();
  head.samples = in.number();
  head.samples_taken = in.number();
  head.cost_ns = in.integer();
  if (in.good() && in.empty()) return head;
  return fail(ErrorCode::kMpiCommunication, "the time series of a host is damaged", {},
              "every host must run the same build of mlpstorage");
}

SeriesStream::SeriesStream(const world::TimeSeries& series, const world::Transport& transport)
    : series_(series),
      speaks_(is_first_of_its_host(transport)),
      clock_ahead_us_(transport.members()[transport.index()].clock.wall_ns / kNanosPerMicro) {}

int64_t SeriesStream::shifted_us(const world::HostSample& sample) const {
  return sample.at.wall_us - clock_ahead_us_;
}

world::Bytes SeriesStream::next() {
  if (!speaks_) return {};
  if (!head_given_) {
    head_given_ = true;
    return pack(SeriesHead{series_.hostname, series_.requested_interval_s, series_.interval_s,
                           shifted_us(series_.samples.front()), shifted_us(series_.samples.back()),
                           series_.samples.size(), series_.samples_taken, series_.cost_ns});
  }
  world::Bytes piece;
  for (; given_ < series_.samples.size() && piece.size() < kPieceBytes; ++given_) {
    const world::HostSample& sample = series_.samples[given_];
    piece += given_ == 0 ? "\n" : ",\n";
    // UTF-8 or not, a device's name must not stop the file.
    piece += sample_json(series_.hostname, sample, shifted_us(sample))
                 .dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  return piece;
}

}  // namespace mlps::results
