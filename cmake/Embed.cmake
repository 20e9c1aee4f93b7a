# tinyarms_embed(OUT_VARIABLE namespace::function FILE…): generates a source file that defines
#   std::vector<tinyarms::EmbeddedFile> namespace::function()
# over the files' bytes, so that data written as data ships inside the binary. The generator runs
# again whenever a file changes. Declare the function in a header of the room:
#   #include "base/embedded_file.h"
set(TINYARMS_EMBED_SCRIPT "${CMAKE_CURRENT_LIST_DIR}/embed_files.cmake")

function(tinyarms_embed out_variable function)
  string(REPLACE "::" "_" stem "${function}")
  set(output "${CMAKE_CURRENT_BINARY_DIR}/${stem}.cc")
  set(files)
  foreach(file ${ARGN})
    get_filename_component(path "${file}" ABSOLUTE)
    list(APPEND files "${path}")
  endforeach()
  string(REPLACE ";" "|" joined "${files}")
  add_custom_command(OUTPUT "${output}"
    COMMAND ${CMAKE_COMMAND} "-DOUTPUT=${output}" "-DFUNCTION=${function}" "-DFILES=${joined}"
            -P "${TINYARMS_EMBED_SCRIPT}"
    DEPENDS ${files} "${TINYARMS_EMBED_SCRIPT}" VERBATIM)
  set(${out_variable} "${output}" PARENT_SCOPE)
endfunction()
