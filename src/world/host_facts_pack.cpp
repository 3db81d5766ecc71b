#include "world/host_facts_pack.hpp"

#include "world/archive.hpp"

namespace mlps::world {

constexpr const char* kHostFacts = "host facts";

template <class Archive, Is<MemoryFacts> M>
void fields(Archive& archive, M& memory) {
  archive(memory.total, memory.available, memory.used, memory.free, memory.active, memory.inactive, memory.buffers,
          memory.cached, memory.shared);
}

template <class Archive, Is<CpuFacts> C>
void fields(Archive& archive, C& cpu) {
  archive(cpu.physical_cores, cpu.logical_cores, cpu.model, cpu.architecture);
}

template <class Archive, Is<DiskFacts> D>
void fields(Archive& archive, D& disk) {
  archive(disk.device, disk.counters);
}

template <class Archive, Is<NetworkFacts> N>
void fields(Archive& archive, N& network) {
  archive(network.interface, network.counters);
}

template <class Archive, Is<HostFacts> F>
void fields(Archive& archive, F& facts) {
  archive(facts.hostname, facts.collected_wall_us, facts.memory, facts.meminfo, facts.cpu, facts.cpuinfo, facts.disks,
          facts.network, facts.kernel_version, facts.os_release, facts.uptime_s);
  archive(facts.load_1min, facts.load_5min, facts.load_15min, facts.running_processes, facts.total_processes,
          facts.unreadable);
}

Bytes pack(const HostFacts& facts) {
  return pack(kHostFacts, facts);
}

Result<HostFacts> unpack_host_facts(std::string_view bytes) {
  return unpack<HostFacts>(kHostFacts, "another process", bytes);
}

}  // namespace mlps::world
