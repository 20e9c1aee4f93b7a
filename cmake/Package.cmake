# What `cmake --install` puts in place for other projects: the rooms that can be used without the
# rest, each a component of its own beside `base`, which all of them need.
#
#   cmake --install build/release --prefix /opt/tinyarms --component base
#   cmake --install build/release --prefix /opt/tinyarms --component rules
#
#   find_package(tinyarms REQUIRED COMPONENTS rules)
#   target_link_libraries(app PRIVATE tinyarms::rules)
set(TINYARMS_PACKAGE_DIR "lib/cmake/tinyarms")

# tinyarms_package(calibration [TARGETS more…] [HEADERS name.h…]): without HEADERS, all of them.
function(tinyarms_package room)
  cmake_parse_arguments(ARG "" "" "TARGETS;HEADERS" ${ARGN})
  set_target_properties(tinyarms_${room} PROPERTIES EXPORT_NAME ${room})
  install(TARGETS tinyarms_${room} ${ARG_TARGETS} EXPORT tinyarms-${room}
          ARCHIVE DESTINATION lib COMPONENT ${room})
  install(EXPORT tinyarms-${room} NAMESPACE tinyarms:: DESTINATION "${TINYARMS_PACKAGE_DIR}"
          COMPONENT ${room})
  set(headers)
  if(ARG_HEADERS)
    foreach(header ${ARG_HEADERS})
      list(APPEND headers "${PROJECT_SOURCE_DIR}/src/${room}/${header}")
    endforeach()
  else()
    file(GLOB headers CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/${room}/*.h")
  endif()
  install(FILES ${headers} DESTINATION "include/tinyarms/${room}" COMPONENT ${room})
endfunction()

tinyarms_package(base TARGETS tinyarms_crypto)
tinyarms_package(calibration)
# The headers that need no tree-sitter.
tinyarms_package(rules HEADERS code.h code_blocks.h finding.h language.h rule_set.h scan.h
                               yaml_document.h)

# The parser and the grammars travel with `rules`: they are pinned, and no system has them.
foreach(archive tree-sitter ${TINYARMS_GRAMMARS})
  string(REGEX REPLACE "^(.+)$" "tree-sitter-\\1" file "${archive}")
  if(archive STREQUAL "tree-sitter")
    set(file tree-sitter)
  endif()
  install(FILES "${TINYARMS_DEPS}/tree-sitter/lib/lib${file}.a" DESTINATION lib/tinyarms
          COMPONENT rules)
endforeach()

include(CMakePackageConfigHelpers)
set(package "${CMAKE_CURRENT_BINARY_DIR}/package")
configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/tinyarmsConfig.cmake.in"
  "${package}/tinyarmsConfig.cmake" INSTALL_DESTINATION "${TINYARMS_PACKAGE_DIR}")
write_basic_package_version_file("${package}/tinyarmsConfigVersion.cmake"
                                 COMPATIBILITY SameMinorVersion)
install(FILES "${package}/tinyarmsConfig.cmake" "${package}/tinyarmsConfigVersion.cmake"
        DESTINATION "${TINYARMS_PACKAGE_DIR}" COMPONENT base)
