/* Memory for a stream, without libc. */
#ifndef MEMORY_H
#define MEMORY_H

#include <stdint.h>

/* Gives back everything taken so far: a new stream begins. */
void memory_release(void);

/* Takes `bytes` that are zero, aligned to 16. Returns a null pointer where the host gives no more.
 * Only to be called from fx_create: afterwards memory does not grow. */
void *memory_take(uint64_t bytes);

/* Sets `count` samples to zero. */
void memory_clear(float *samples, uint64_t count);

#endif
