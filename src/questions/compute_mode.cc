// File modes: octal to symbolic and back, and what a umask leaves.
#include <fmt/format.h>

#include "questions/computation.h"

namespace tinyarms::questions {
namespace {

bool is_octal(std::string_view text) {
  return text.find_first_not_of("01234567") == std::string_view::npos;
}

std::string symbolic_of(int bits) {
  std::string symbolic;
  for (int shift = 6; shift >= 0; shift -= 3) {
    symbolic += (bits >> shift) & 4 ? 'r' : '-';
    symbolic += (bits >> shift) & 2 ? 'w' : '-';
    symbolic += (bits >> shift) & 1 ? 'x' : '-';
  }
  return symbolic;
}

std::string rights_of(int bits) {
  std::vector<std::string> sentences;
  constexpr const char* kWho[] = {"owner", "group", "others"};
  for (int i = 0; i < 3; ++i) {
    const int own = (bits >> (6 - 3 * i)) & 7;
    std::vector<const char*> rights;
    if (own & 4) rights.push_back("read");
    if (own & 2) rights.push_back("write");
    if (own & 1) rights.push_back("execute");
    if (rights.empty()) rights.push_back("nothing");
    sentences.push_back(fmt::format("{}: {}", kWho[i], fmt::join(rights, ", ")));
  }
  return fmt::format("{}", fmt::join(sentences, "; "));
}

// "755", "0755"; the special bits (4755) are another question.
std::optional<int> read_octal(std::string mode) {
  if (mode.size() == 4 && mode[0] == '0') mode.erase(0, 1);
  if (mode.size() != 3 || !is_octal(mode)) return std::nullopt;
  return std::stoi(mode, nullptr, 8);
}

std::optional<Variables> file_mode(const ComputationInput& input) {
  const auto bits = read_octal(input.get("mode"));
  if (!bits) return std::nullopt;
  return Variables{{"mode", fmt::format("{:03o}", *bits)},
                   {"symbolic", symbolic_of(*bits)},
                   {"rights", rights_of(*bits)}};
}

// "rwxr-xr-x", also with the type in front as ls prints it: "-rwxr-xr-x".
std::optional<Variables> octal_mode(const ComputationInput& input) {
  std::string text = input.get("symbolic");
  if (text.size() == 10 && (text[0] == '-' || text[0] == 'd')) text.erase(0, 1);
  if (text.size() != 9) return std::nullopt;
  int bits = 0;
  for (size_t i = 0; i < 9; ++i) {
    if (text[i] != '-' && text[i] != "rwx"[i % 3]) return std::nullopt;
    bits = bits * 2 + (text[i] != '-' ? 1 : 0);
  }
  return Variables{{"symbolic", text},
                   {"mode", fmt::format("{:03o}", bits)},
                   {"rights", rights_of(bits)}};
}

std::optional<Variables> umask(const ComputationInput& input) {
  const auto mask = read_octal(input.get("mode"));
  if (!mask) return std::nullopt;
  const int file = 0666 & ~*mask;
  const int folder = 0777 & ~*mask;
  return Variables{{"mode", fmt::format("{:03o}", *mask)},
                   {"file", fmt::format("{:03o}", file)},
                   {"file_symbolic", symbolic_of(file)},
                   {"folder", fmt::format("{:03o}", folder)},
                   {"folder_symbolic", symbolic_of(folder)}};
}

}  // namespace

const std::vector<Computation>& mode_computations() {
  static const std::vector<Computation> kComputations = {
      {"file-mode", false, {"mode"}, {"symbolic", "rights"}, file_mode},
      {"octal-mode", false, {"symbolic"}, {"mode", "rights"}, octal_mode},
      {"umask", false, {"mode"}, {"file", "file_symbolic", "folder", "folder_symbolic"}, umask},
  };
  return kComputations;
}

}  // namespace tinyarms::questions
