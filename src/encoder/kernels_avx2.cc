#if defined(__x86_64__)
#define TINYARMS_LANES 8
#define TINYARMS_ROWS 4
#define TINYARMS_KERNELS kAvx2Kernels
#define TINYARMS_KERNELS_NAME "avx2"
#include "encoder/kernels.inc"
#endif
