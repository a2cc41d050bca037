/* The filters of the loop: what every repeat loses. */
#ifndef TONE_H
#define TONE_H

#include "glide.h"

#include <stdint.h>

/* From here on up the low-pass is off, from there on down the low-cut. */
#define DAMPING_OFF_HZ 20000.0
#define LOW_CUT_OFF_HZ 20.0

/* A one-pole filter that fades in and out. */
typedef struct {
    Glide amount; /* 0: off, the signal passes to the bit; 1: on */
    Glide reach;  /* how far the low-pass moves toward its input in half a frame, 0 to 1 */
} Filter;

/* What both filters remember of one channel: their integrators. */
typedef struct {
    double damped;
    double low;
} ToneState;

typedef struct {
    Filter damping;
    Filter low_cut;
} Tone;

/* Sets the corner frequencies (-3 dB), within `rows` rows; at once if that is 0. */
void tone_set_damping(Tone *tone, double damping_hz, double sample_rate_hz, uint32_t rows);
void tone_set_low_cut(Tone *tone, double low_cut_hz, double sample_rate_hz, uint32_t rows);

/* The next row begins. */
void tone_advance(Tone *tone);

/* Whether the signal passes to the bit in this row. */
int tone_is_off(const Tone *tone);

/* Filters `frames` samples of one channel, from frame `phase` of the row on. */
void tone_process(const Tone *tone, ToneState *state, float *samples, uint32_t phase,
                  uint32_t frames);

/* Rounds what is left of a faded signal to zero; where a row begins. */
void tone_tidy(ToneState *state);

#endif
