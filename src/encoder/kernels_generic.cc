// Four lanes: SSE2 and NEON, which every processor of their kind has.
#define TINYARMS_LANES 4
#define TINYARMS_ROWS 4
#define TINYARMS_KERNELS kGenericKernels
#define TINYARMS_KERNELS_NAME "generic"
#include "encoder/kernels.inc"
