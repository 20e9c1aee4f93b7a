// Remembers, in a small file beside a large one, that the large one was read through and found
// sound, so that opening it again need not read all of it. What is remembered is of one state of
// the file: its number, size, and times of content and inode, which every write changes.
//
// It finds accidents of writing once. Those of the medium later on it does not: who writes to the
// file reads all of it anyway.
#pragma once

#include <sys/stat.h>

#include <filesystem>

namespace tinyarms::index {

bool was_checked(const std::filesystem::path& file, const struct stat& status);

// Does nothing where the file changed within the last second (a second write may leave the same
// times), or where the note cannot be written: then it is read through once more.
void note_checked(const std::filesystem::path& file, const struct stat& status);

}  // namespace tinyarms::index
