// The tables of the cache database, version by version. A new version is one more entry; entries
// that shipped never change.
#pragma once

#include <cstdint>
#include <span>

namespace tinyarms::storage {

// PRAGMA application_id of our files: "tArm".
constexpr int64_t kApplicationId = 0x7441726D;

// migrations()[n] takes a database from user_version n to n + 1.
std::span<const char* const> migrations();

}  // namespace tinyarms::storage
