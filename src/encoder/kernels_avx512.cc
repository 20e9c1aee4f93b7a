#if defined(__x86_64__)
#define TINYARMS_LANES 16
#define TINYARMS_ROWS 8
#define TINYARMS_KERNELS kAvx512Kernels
#define TINYARMS_KERNELS_NAME "avx512"
#include "encoder/kernels.inc"
#endif
