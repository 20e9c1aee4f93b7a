// Size, time, number and device of a file, which stand for what is in it. Links are followed.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace tinyarms {

inline constexpr std::string_view kStampOfNoFile = "none";

std::string file_stamp(const std::filesystem::path& path);

}  // namespace tinyarms
