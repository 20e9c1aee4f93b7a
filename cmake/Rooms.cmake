# A room is a folder under src/: its *.cc make the library tinyarms_<room>, its *_test.cc one test
# program beside it. *_model_test.cc make a second program, labelled `model`, that needs real
# weights and says so loudly where they are missing.
if(TINYARMS_TESTS)
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()

add_library(tinyarms_build_flags INTERFACE)
target_compile_options(tinyarms_build_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow
                                                      -Wnon-virtual-dtor -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 sees overlaps in std::string's own replace and operator+ that are not there (PR 105651).
  target_compile_options(tinyarms_build_flags INTERFACE -Wno-restrict)
endif()
if(TINYARMS_SANITIZE)
  target_compile_options(tinyarms_build_flags INTERFACE
    -fsanitize=${TINYARMS_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all
    # A null pointer ends in the address sanitizer's hands anyway; these two checks at every
    # access are a fifth of the time to compile.
    -fno-sanitize=null,vptr)
  target_link_options(tinyarms_build_flags INTERFACE -fsanitize=${TINYARMS_SANITIZE})
endif()
# Commands and tests are pages of a library's inline functions, run once: optimising and
# instrumenting those for undefined behaviour takes longer than what they are about. The rooms'
# own code is instrumented all the same.
set(run_once "$<BOOL:$<TARGET_PROPERTY:TINYARMS_RUN_ONCE>>")
# Rooms without a loop that anybody waits for say COLD: -O3 takes half as long again to compile.
set(cold "$<BOOL:$<TARGET_PROPERTY:TINYARMS_COLD>>")
target_compile_options(tinyarms_build_flags INTERFACE
  "$<$<AND:$<OR:${run_once},${cold}>,$<CONFIG:Release>>:-O1>"
  "$<${run_once}:-fno-sanitize=undefined>")
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  # A loop that sanitizers keep from being vectorised is slow, not wrong.
  target_compile_options(tinyarms_build_flags INTERFACE -Wno-pass-failed)
endif()
if(TINYARMS_FUZZ)
  target_compile_options(tinyarms_build_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# The dependencies are built without sanitizers; container annotations across that border lie.
# GCC 12's interceptor of __tls_get_addr takes a block 16 bytes into a page for one with a header
# and reads a size that is not there: LeakSanitizer then dies of it, as the layout will have it.
set(asan_options detect_container_overflow=0 detect_stack_use_after_return=1
                 intercept_tls_get_addr=0)
list(JOIN asan_options ":" asan_options)
set(TINYARMS_TEST_ENVIRONMENT
  "TINYARMS_TEST_MODELS=${TINYARMS_DEPS}/models"
  "TINYARMS_SHARED=${PROJECT_SOURCE_DIR}/../shared"
  "TINYARMS_SOURCE=${PROJECT_SOURCE_DIR}"
  "ASAN_OPTIONS=${asan_options}"
  "GOMP_SPINCOUNT=5000"  # as the program itself: base/patient_threads.h
  "TSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/tsan.supp")

function(tinyarms_test_program name)
  cmake_parse_arguments(ARG "" "LABEL" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LIBRARIES} tinyarms_build_flags GTest::gtest_main
                                        GTest::gmock)
  set_target_properties(${name} PROPERTIES TINYARMS_RUN_ONCE ON)
  # -Og takes half as long again to compile; what takes long to run is in the rooms.
  target_compile_options(${name} PRIVATE $<$<CONFIG:RelWithDebInfo>:-O0>)
  # Not the ENVIRONMENT property: gtest_discover_tests keeps only the first entry of a list there,
  # and does not apply it when it asks a program which (parameterised) tests it has.
  set_target_properties(${name} PROPERTIES
    CROSSCOMPILING_EMULATOR "${CMAKE_COMMAND};-E;env;${TINYARMS_TEST_ENVIRONMENT}")
  # A model uses every core; two at once only wait for each other.
  set(processors 1)
  if(ARG_LABEL STREQUAL "model")
    set(processors 64)
  endif()
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 DISCOVERY_MODE PRE_TEST
    PROPERTIES LABELS "${ARG_LABEL}" TIMEOUT 300 PROCESSORS ${processors})
endfunction()

# tinyarms_room(engine PUBLIC tinyarms_base PRIVATE llama::common)
# FOLDERS: subfolders whose *.cc belong to the room like its own. COLD: see above.
function(tinyarms_room room)
  cmake_parse_arguments(ARG "COLD" "" "PUBLIC;PRIVATE;SOURCES;FOLDERS" ${ARGN})
  set(patterns ${ARG_FOLDERS})
  list(TRANSFORM patterns APPEND "/*.cc")
  file(GLOB sources CONFIGURE_DEPENDS *.cc ${patterns})
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  set(model_tests ${tests})
  list(FILTER model_tests INCLUDE REGEX "_model_test\\.cc$")
  list(FILTER tests EXCLUDE REGEX "_model_test\\.cc$")
  list(FILTER sources EXCLUDE REGEX "(_test|/main)\\.cc$")

  add_library(tinyarms_${room} STATIC ${sources} ${ARG_SOURCES})
  target_include_directories(tinyarms_${room} PUBLIC "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src>"
                             "$<INSTALL_INTERFACE:include/tinyarms>")
  target_link_libraries(tinyarms_${room} PUBLIC ${ARG_PUBLIC}
                        PRIVATE ${ARG_PRIVATE} "$<BUILD_INTERFACE:tinyarms_build_flags>")
  set_target_properties(tinyarms_${room} PROPERTIES TINYARMS_COLD "${ARG_COLD}")
  if(tests AND TINYARMS_TESTS)
    tinyarms_test_program(${room}_test LABEL unit SOURCES ${tests}
                          LIBRARIES tinyarms_${room} ${ARG_PRIVATE})
  endif()
  if(model_tests AND TINYARMS_TESTS)
    tinyarms_test_program(${room}_model_test LABEL model SOURCES ${model_tests}
                          LIBRARIES tinyarms_${room} ${ARG_PRIVATE})
  endif()
endfunction()
