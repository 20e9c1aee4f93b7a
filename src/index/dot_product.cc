#include "index/scan.h"

namespace tinyarms::index {

float dot_product(const float* a, const float* b, size_t size) {
  float sum = 0;
  for (size_t i = 0; i < size; ++i) sum += a[i] * b[i];
  return sum;
}

}  // namespace tinyarms::index
