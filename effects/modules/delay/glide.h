/* A value that glides to what it was set to, row by row.
 *
 * Rows are counted from the start of the stream, so that the output does not depend on how a host
 * cuts it. */
#ifndef GLIDE_H
#define GLIDE_H

#include <stdint.h>

/* Frames of a row: 1.3 ms at 48 kHz, so that steps of slow controls stay inaudible. */
#define ROW_FRAMES 64

/* How long a parameter takes to a new value: long enough to make no click, short enough to feel
 * immediate. */
#define GLIDE_MS 20.0

typedef struct {
    double value;  /* at the end of this row */
    double before; /* at its beginning */
    double target; /* where it is going to */
    double step;   /* what a row adds */
    uint32_t left; /* rows until it is there */
} Glide;

/* The way of a glide within a row: at frame `index` of it, start + step * (index + 1). */
typedef struct {
    float start;
    float step;
} Ramp;

/* Moves to `target` within `rows` rows, from the next one on. */
static inline void glide_to(Glide *glide, double target, uint32_t rows) {
    glide->target = target;
    glide->step = (target - glide->value) / rows;
    glide->left = rows;
}

/* Is at `target` at once. */
static inline void glide_jump(Glide *glide, double target) {
    *glide = (Glide){.value = target, .before = target, .target = target, .step = 0.0, .left = 0};
}

/* The next row begins. */
static inline Ramp glide_advance(Glide *glide) {
    glide->before = glide->value;
    if (glide->left == 1) {
        glide->value = glide->target;
    } else if (glide->left > 1) {
        glide->value += glide->step;
    }
    if (glide->left > 0) {
        glide->left--;
    }
    return (Ramp){.start = (float)glide->before,
                  .step = (float)((glide->value - glide->before) / ROW_FRAMES)};
}

/* The value at frame `index` of the row; exact where it rests. */
static inline double glide_at(const Glide *glide, uint32_t index) {
    return glide->before + (glide->value - glide->before) / ROW_FRAMES * (index + 1);
}

/* The same, from a ramp. */
static inline float ramp_at(Ramp ramp, uint32_t index) {
    return ramp.start + ramp.step * (float)(index + 1);
}

#endif
