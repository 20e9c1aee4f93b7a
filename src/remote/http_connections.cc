#define CURL_DISABLE_TYPECHECK
#include "remote/http_connections.h"

#include "remote/curl_library.h"

namespace tinyarms::remote {

HttpConnections::~HttpConnections() {
  for (CURLM* connections : idle_) library_->multi_cleanup(connections);
}

CURLM* HttpConnections::take() {
  const std::lock_guard lock(mutex_);
  if (idle_.empty()) return nullptr;
  CURLM* connections = idle_.back();
  idle_.pop_back();
  return connections;
}

void HttpConnections::give_back(const CurlLibrary& library, CURLM* connections) {
  const std::lock_guard lock(mutex_);
  library_ = &library;
  idle_.push_back(connections);
}

}  // namespace tinyarms::remote
