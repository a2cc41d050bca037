#include "memory.h"

#include <stddef.h>

#define PAGE_BYTES 65536u
#define ALIGNMENT 16u

/* Set by the linker: the first byte after everything static. */
extern unsigned char __heap_base;

/* Bytes taken since the last release. */
static uint64_t taken_bytes;

void memory_release(void) { taken_bytes = 0; }

void *memory_take(uint64_t bytes) {
    const uint64_t base =
        ((uint64_t)(uintptr_t)&__heap_base + ALIGNMENT - 1) & ~(uint64_t)(ALIGNMENT - 1);
    const uint64_t start = base + taken_bytes;
    const uint64_t end = start + ((bytes + ALIGNMENT - 1) & ~(uint64_t)(ALIGNMENT - 1));
    const uint64_t pages_needed = (end + PAGE_BYTES - 1) / PAGE_BYTES;
    const uint64_t pages = __builtin_wasm_memory_size(0);
    if (pages_needed > PAGE_BYTES) {
        return NULL; /* more than 4 GiB cannot be addressed */
    }
    if (pages_needed > pages &&
        __builtin_wasm_memory_grow(0, (size_t)(pages_needed - pages)) == SIZE_MAX) {
        return NULL;
    }
    taken_bytes = end - base;
    float *const memory = (float *)(uintptr_t)start;
    memory_clear(memory, bytes / sizeof(float));
    return memory;
}

void memory_clear(float *samples, uint64_t count) {
    for (size_t at = 0; at < count; at++) {
        samples[at] = 0.0f;
    }
}
