// Size, time and number of a file, which stand for what is in it. Links are followed.
#pragma once

#include <filesystem>
#include <string>

namespace tinyarms::service {

// "none" where there is no such file.
std::string file_stamp(const std::filesystem::path& path);

}  // namespace tinyarms::service
