#include "encoder/dnnl_library.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <string>
#include <type_traits>

namespace tinyarms::encoder {
namespace {

Error not_usable(std::string what) {
  return Error{ErrorCode::Unsupported, std::move(what), "libdnnl.so.2",
               "install it: apt-get install libdnnl2"};
}

Result<DnnlLibrary> load() {
  // Never unloaded: the code that it generates outlives any call.
  void* handle = ::dlopen("libdnnl.so.2", RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return not_usable(::dlerror());
  std::string missing;
  const auto find = [&](auto& function, const char* name) {
    function = reinterpret_cast<std::decay_t<decltype(function)>>(::dlsym(handle, name));
    if (function == nullptr) missing = name;
  };
  DnnlLibrary library{};
  find(library.engine_create, "dnnl_engine_create");
  find(library.engine_destroy, "dnnl_engine_destroy");
  find(library.stream_create, "dnnl_stream_create");
  find(library.stream_destroy, "dnnl_stream_destroy");
  find(library.memory_desc_init_by_tag, "dnnl_memory_desc_init_by_tag");
  find(library.memory_desc_get_size, "dnnl_memory_desc_get_size");
  find(library.memory_create, "dnnl_memory_create");
  find(library.memory_destroy, "dnnl_memory_destroy");
  find(library.memory_set_data_handle, "dnnl_memory_set_data_handle");
  find(library.matmul_desc_init, "dnnl_matmul_desc_init");
  find(library.attr_create, "dnnl_primitive_attr_create");
  find(library.attr_destroy, "dnnl_primitive_attr_destroy");
  find(library.attr_set_scratchpad_mode, "dnnl_primitive_attr_set_scratchpad_mode");
  find(library.primitive_desc_create, "dnnl_primitive_desc_create");
  find(library.primitive_desc_destroy, "dnnl_primitive_desc_destroy");
  find(library.primitive_desc_query_md, "dnnl_primitive_desc_query_md");
  find(library.reorder_primitive_desc_create, "dnnl_reorder_primitive_desc_create");
  find(library.primitive_create, "dnnl_primitive_create");
  find(library.primitive_execute, "dnnl_primitive_execute");
  find(library.primitive_destroy, "dnnl_primitive_destroy");
  find(library.get_threads, "omp_get_max_threads");
  find(library.set_threads, "omp_set_num_threads");
  if (!missing.empty()) return not_usable(fmt::format("it has no {}", missing));
  return library;
}

}  // namespace

Result<const DnnlLibrary*> dnnl_library() {
  static const Result<DnnlLibrary> library = load();
  if (!library) return library.error();
  return &*library;
}

}  // namespace tinyarms::encoder
