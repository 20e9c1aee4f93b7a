// oneDNN, brought in when the first encoder is loaded: 40 MB that a process without one never maps.
#pragma once

#include <dnnl.h>

#include "base/result.h"

namespace tinyarms::encoder {

struct DnnlLibrary {
  decltype(&dnnl_engine_create) engine_create;
  decltype(&dnnl_engine_destroy) engine_destroy;
  decltype(&dnnl_stream_create) stream_create;
  decltype(&dnnl_stream_destroy) stream_destroy;
  decltype(&dnnl_memory_desc_init_by_tag) memory_desc_init_by_tag;
  decltype(&dnnl_memory_desc_get_size) memory_desc_get_size;
  decltype(&dnnl_memory_create) memory_create;
  decltype(&dnnl_memory_destroy) memory_destroy;
  decltype(&dnnl_memory_set_data_handle) memory_set_data_handle;
  decltype(&dnnl_matmul_desc_init) matmul_desc_init;
  decltype(&dnnl_primitive_attr_create) attr_create;
  decltype(&dnnl_primitive_attr_destroy) attr_destroy;
  decltype(&dnnl_primitive_attr_set_scratchpad_mode) attr_set_scratchpad_mode;
  decltype(&dnnl_primitive_desc_create) primitive_desc_create;
  decltype(&dnnl_primitive_desc_destroy) primitive_desc_destroy;
  decltype(&dnnl_primitive_desc_query_md) primitive_desc_query_md;
  decltype(&dnnl_reorder_primitive_desc_create) reorder_primitive_desc_create;
  decltype(&dnnl_primitive_create) primitive_create;
  decltype(&dnnl_primitive_execute) primitive_execute;
  decltype(&dnnl_primitive_destroy) primitive_destroy;

  // OpenMP's limits for the calling thread: work is divided by rows above oneDNN, so each of its
  // calls runs on the one thread that makes it.
  int (*get_threads)();
  void (*set_threads)(int);
};

// The library of this process, loaded once; thread-safe. Errors: Unsupported (not installed, or
// another interface), with the package to install.
Result<const DnnlLibrary*> dnnl_library();

// oneDNN divides its work by itself unless told; while this lives, the calling thread works alone.
class SingleThreaded {
 public:
  explicit SingleThreaded(const DnnlLibrary& library)
      : library_(library), before_(library.get_threads()) {
    library_.set_threads(1);
  }
  ~SingleThreaded() { library_.set_threads(before_); }
  SingleThreaded(const SingleThreaded&) = delete;
  SingleThreaded& operator=(const SingleThreaded&) = delete;

 private:
  const DnnlLibrary& library_;
  int before_;
};

}  // namespace tinyarms::encoder
