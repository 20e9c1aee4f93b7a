# Everything from outside as imported targets. Debian's packages come through their own files; the
# pinned sources through the prefix that setup/install fills (TINYARMS_DEPS):
#   llama/{include,lib,bin}   sqlite/{include,lib}   tree-sitter/{include,lib}   models/
if(NOT EXISTS "${TINYARMS_DEPS}/llama/include/llama.h")
  message(FATAL_ERROR
    "The pinned dependencies are missing in ${TINYARMS_DEPS}: run ./setup/install --deps")
endif()

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)

function(tinyarms_import name folder)
  cmake_parse_arguments(ARG "" "" "ARCHIVES;LINK" ${ARGN})
  add_library(${name} INTERFACE IMPORTED GLOBAL)
  set(paths)
  foreach(archive ${ARG_ARCHIVES})
    list(APPEND paths "${TINYARMS_DEPS}/${folder}/lib/lib${archive}.a")
  endforeach()
  set_target_properties(${name} PROPERTIES
    INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${TINYARMS_DEPS}/${folder}/include"
    INTERFACE_LINK_LIBRARIES "${paths};${ARG_LINK}")
  target_include_directories(${name} SYSTEM INTERFACE "${TINYARMS_DEPS}/${folder}/include")
endfunction()

# gomp by name: the archives were built by GCC, and clang must not bring another OpenMP.
tinyarms_import(llama::llama llama ARCHIVES llama ggml ggml-cpu ggml-base
                LINK gomp Threads::Threads ${CMAKE_DL_LIBS})
# Chat templates, tool-call parsing and schema→grammar only; engine/ keeps it behind one adapter.
tinyarms_import(llama::common llama ARCHIVES llama-common llama-common-base cpp-httplib
                LINK llama::llama)
target_include_directories(llama::common SYSTEM INTERFACE "${TINYARMS_DEPS}/llama/include/common")

tinyarms_import(sqlite::sqlite sqlite ARCHIVES sqlite3 LINK Threads::Threads ${CMAKE_DL_LIBS})
tinyarms_import(tree_sitter::tree_sitter tree-sitter ARCHIVES tree-sitter)
# One archive per grammar, each with one C function, tree_sitter_<language>().
set(grammars bash c cpp csharp css go html java javascript json kotlin php python ruby rust scala
             swift tsx typescript yaml)
set(TINYARMS_GRAMMARS "${grammars}"
    CACHE STRING "The languages that are compiled in; leave some out for a smaller program")
add_library(tree_sitter::grammars INTERFACE IMPORTED GLOBAL)
foreach(language ${TINYARMS_GRAMMARS})
  tinyarms_import(tree_sitter::${language} tree-sitter ARCHIVES tree-sitter-${language}
                  LINK tree_sitter::tree_sitter)
  target_link_libraries(tree_sitter::grammars INTERFACE tree_sitter::${language})
endforeach()

# libcrypto statically: a shared one costs a millisecond of every start.
find_library(CRYPTO_ARCHIVE libcrypto.a REQUIRED)
add_library(tinyarms_crypto INTERFACE)
target_link_libraries(tinyarms_crypto INTERFACE "${CRYPTO_ARCHIVE}" ${CMAKE_DL_LIBS}
                                                Threads::Threads)
