// IPv4 addresses and networks (RFC 4632), and what some ranges are reserved for (RFC 6890).
#include <fmt/format.h>

#include "questions/computation.h"
#include "questions/scan.h"

namespace tinyarms::questions {
namespace {

// Four decimal bytes without leading zeros, which some programs read as octal.
std::optional<uint32_t> read_address(std::string_view text) {
  const auto parts = split(text, '.');
  if (parts.size() != 4) return std::nullopt;
  uint32_t address = 0;
  for (const std::string_view part : parts) {
    const auto byte = scan_number(part, 255);
    if (!byte || (part.size() > 1 && part[0] == '0')) return std::nullopt;
    address = address << 8 | static_cast<uint32_t>(*byte);
  }
  return address;
}

std::string show(uint32_t address) {
  return fmt::format("{}.{}.{}.{}", address >> 24, address >> 16 & 255, address >> 8 & 255,
                     address & 255);
}

std::optional<int> read_prefix(const std::string& text) {
  const auto prefix = scan_number(text, 32);
  if (!prefix || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  return static_cast<int>(*prefix);
}

uint32_t mask_of(int prefix) { return prefix == 0 ? 0 : ~uint32_t{0} << (32 - prefix); }

// Network and broadcast address are no hosts, except in /31 (RFC 3021) and /32.
int64_t hosts_of(int prefix) {
  const int64_t size = int64_t{1} << (32 - prefix);
  return prefix >= 31 ? size : size - 2;
}

Variables network_variables(int prefix) {
  return {{"prefix", std::to_string(prefix)},
          {"mask", show(mask_of(prefix))},
          {"wildcard", show(~mask_of(prefix))},
          {"addresses", std::to_string(int64_t{1} << (32 - prefix))},
          {"hosts", std::to_string(hosts_of(prefix))}};
}

std::optional<Variables> prefix_to_mask(const ComputationInput& input) {
  const auto prefix = read_prefix(input.get("prefix"));
  if (!prefix) return std::nullopt;
  return network_variables(*prefix);
}

std::optional<Variables> mask_to_prefix(const ComputationInput& input) {
  const auto mask = read_address(input.get("mask"));
  if (!mask) return std::nullopt;
  for (int prefix = 0; prefix <= 32; ++prefix) {
    if (mask_of(prefix) == *mask) return network_variables(prefix);
  }
  return std::nullopt;
}

std::optional<Variables> network_range(const ComputationInput& input) {
  const auto address = read_address(input.get("address"));
  const auto prefix = read_prefix(input.get("prefix"));
  if (!address || !prefix) return std::nullopt;
  const uint32_t network = *address & mask_of(*prefix);
  const uint32_t last = network | ~mask_of(*prefix);
  const uint32_t edge = *prefix >= 31 ? 0 : 1;
  Variables variables = network_variables(*prefix);
  variables["network"] = show(network);
  variables["broadcast"] = *prefix >= 31 ? "none" : show(last);
  variables["last_address"] = show(last);
  variables["first"] = show(network + edge);
  variables["last"] = show(last - edge);
  return variables;
}

std::optional<Variables> network_contains(const ComputationInput& input) {
  const auto address = read_address(input.get("address"));
  const auto network = read_address(input.get("network"));
  const auto prefix = read_prefix(input.get("prefix"));
  if (!address || !network || !prefix) return std::nullopt;
  // 10.0.0.5/8 is an address with its mask, not a network.
  if ((*network & mask_of(*prefix)) != *network) return std::nullopt;
  const bool inside = (*address & mask_of(*prefix)) == *network;
  const uint32_t last = *network | ~mask_of(*prefix);
  return Variables{{"verdict", fmt::format("{}: {}/{} is {} to {}", inside ? "Yes" : "No",
                                           show(*network), *prefix, show(*network), show(last))}};
}

std::optional<Variables> address_kind(const ComputationInput& input) {
  struct Range {
    uint32_t network;
    int prefix;
    const char* kind;
  };
  constexpr Range kRanges[] = {
      {0x0a000000, 8, "Yes: {} is private (10.0.0.0/8, RFC 1918)"},
      {0xac100000, 12, "Yes: {} is private (172.16.0.0/12, RFC 1918)"},
      {0xc0a80000, 16, "Yes: {} is private (192.168.0.0/16, RFC 1918)"},
      {0x7f000000, 8, "No: {} is a loopback address (127.0.0.0/8)"},
      {0xa9fe0000, 16, "No: {} is link-local (169.254.0.0/16)"},
      {0x64400000, 10, "No: {} is shared address space for carriers (100.64.0.0/10, RFC 6598)"},
      {0xe0000000, 4, "No: {} is a multicast address (224.0.0.0/4)"},
      {0xc0000200, 24, "No: {} is for documentation (192.0.2.0/24, RFC 5737)"},
      {0xc6336400, 24, "No: {} is for documentation (198.51.100.0/24, RFC 5737)"},
      {0xcb007100, 24, "No: {} is for documentation (203.0.113.0/24, RFC 5737)"},
      {0xc6120000, 15, "No: {} is for benchmarks (198.18.0.0/15, RFC 2544)"},
      {0xc0000000, 24, "No: {} is for protocol assignments (192.0.0.0/24, RFC 6890)"},
      {0xf0000000, 4, "No: {} is reserved (240.0.0.0/4)"},
      {0x00000000, 8, "No: {} is in 0.0.0.0/8 (\"this network\")"},
  };
  const auto address = read_address(input.get("address"));
  if (!address) return std::nullopt;
  for (const Range& range : kRanges) {
    if ((*address & mask_of(range.prefix)) != range.network) continue;
    return Variables{{"verdict", fmt::format(fmt::runtime(range.kind), show(*address))}};
  }
  return Variables{{"verdict", fmt::format("No: {} is not in a private range (10.0.0.0/8, "
                                           "172.16.0.0/12, 192.168.0.0/16)", show(*address))}};
}

std::optional<Variables> address_to_integer(const ComputationInput& input) {
  const auto address = read_address(input.get("address"));
  if (!address) return std::nullopt;
  return Variables{{"integer", std::to_string(*address)},
                   {"hex", fmt::format("0x{:08x}", *address)}};
}

std::optional<Variables> integer_to_address(const ComputationInput& input) {
  const auto value = scan_number(input.get("integer"), 0xffff'ffff);
  if (!value) return std::nullopt;
  return Variables{{"address", show(static_cast<uint32_t>(*value))}};
}

}  // namespace

const std::vector<Computation>& network_computations() {
  static const std::vector<Computation> kComputations = {
      {"prefix-to-mask", false, {"prefix"}, {"mask", "wildcard", "addresses", "hosts"},
       prefix_to_mask},
      {"mask-to-prefix", false, {"mask"}, {"prefix", "wildcard", "addresses", "hosts"},
       mask_to_prefix},
      {"network-range", false, {"address", "prefix"},
       {"network", "broadcast", "first", "last", "last_address", "mask", "hosts", "addresses"},
       network_range},
      {"network-contains", false, {"address", "network", "prefix"}, {"verdict"},
       network_contains},
      {"address-kind", false, {"address"}, {"verdict"}, address_kind},
      {"address-to-integer", false, {"address"}, {"integer", "hex"}, address_to_integer},
      {"integer-to-address", false, {"integer"}, {"address"}, integer_to_address},
  };
  return kComputations;
}

}  // namespace tinyarms::questions
