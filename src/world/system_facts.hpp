#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/environment.hpp"
#include "base/fields.hpp"

/// What a description of the system under test wants to know of a host, and what can't be had after the run any more.
namespace mlps::world {

using TextPairs = std::vector<std::pair<std::string, std::string>>;

/// A port that carries data: an Ethernet interface, a bond as one, or a port of an InfiniBand adapter.
struct PortFacts {
  std::string name;           ///< "eth0", "mlx5_0/1"
  std::string type;           ///< "ethernet", "infiniband"
  bool up = false;            ///< carries traffic, at a known speed
  uint64_t speed_gbit_s = 0;  ///< 0: not known, or down
  bool operator==(const PortFacts&) const = default;
};
constexpr auto fields_of(Of<PortFacts>) {
  return std::tuple(kept("name", &PortFacts::name), kept("type", &PortFacts::type), kept("up", &PortFacts::up),
                    kept("speed_gbit_s", &PortFacts::speed_gbit_s));
}
static_assert(lists_every_member<PortFacts>());

/// A drive that is built in.
struct DriveFacts {
  std::string device;         ///< "nvme0n1"
  std::string vendor, model;  ///< empty where the device doesn't say
  std::string interface;      ///< "nvme", "sas", "sata"; empty: another one
  uint64_t size_bytes = 0;
  bool rotational = false;
  std::string scheduler;  ///< the text of queue/scheduler, "[none] mq-deadline"
  uint64_t read_ahead_kib = 0;
  bool operator==(const DriveFacts&) const = default;
};
constexpr auto fields_of(Of<DriveFacts>) {
  return std::tuple(kept("device", &DriveFacts::device), kept("vendor", &DriveFacts::vendor),
                    kept("model", &DriveFacts::model), kept("interface", &DriveFacts::interface),
                    kept("size_bytes", &DriveFacts::size_bytes), kept("rotational", &DriveFacts::rotational),
                    kept("scheduler", &DriveFacts::scheduler), kept("read_ahead_kib", &DriveFacts::read_ahead_kib));
}
static_assert(lists_every_member<DriveFacts>());

struct SystemFacts {
  std::string chassis_model;       ///< DMI's product name; empty where it is missing or a maker's placeholder
  std::vector<PortFacts> ports;    ///< by name
  std::vector<DriveFacts> drives;  ///< by name
  TextPairs sysctl;                ///< ("vm.dirty_ratio", "20"), by name: what bears on storage, memory and network
  TextPairs environment;  ///< by name: variables of S3, MPI and network libraries and of this program; masked secrets
  bool operator==(const SystemFacts&) const = default;
};
constexpr auto fields_of(Of<SystemFacts>) {
  return std::tuple(kept("chassis_model", &SystemFacts::chassis_model), kept("ports", &SystemFacts::ports),
                    kept("drives", &SystemFacts::drives), kept("sysctl", &SystemFacts::sysctl),
                    kept("environment", &SystemFacts::environment));
}
static_assert(lists_every_member<SystemFacts>());

/// Reads the facts below `sys` ("/sys") and `proc` ("/proc"). Never fails: what can't be read is empty.
SystemFacts collect_system_facts(const std::string& sys, const std::string& proc, const Environment& environment);

}  // namespace mlps::world
