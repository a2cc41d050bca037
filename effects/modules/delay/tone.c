#include "tone.h"

#define PI 3.141592653589793

/* States smaller than this are zero: -240 dBFS, long before they get denormal. */
#define STATE_MIN 1e-12

/* Highest corner as a part of the sample rate: the tangent ends at 1/2. */
#define CORNER_MAX 0.45

/* The tangent of 0 <= x <= 1.42 with a relative error below 1e-12, from the power series of sine
 * and cosine. */
static double tangent(double x) {
    double sine = 1.0, cosine = 1.0;
    for (int term = 11; term > 0; term--) {
        sine = 1.0 - sine * x * x / (2 * term * (2 * term + 1));
        cosine = 1.0 - cosine * x * x / (2 * term * (2 * term - 1));
    }
    return x * sine / cosine;
}

/* Step of a one-pole low-pass with its -3 dB point exactly at a frequency, by trapezoidal
 * integration: g / (1 + g). Source: Zavalishin, "The Art of VA Filter Design", rev. 2.1.2, 2018,
 * ch. 3. */
static double reach_of(double corner_hz, double sample_rate_hz) {
    const double share = corner_hz / sample_rate_hz;
    const double g = tangent(PI * (share < CORNER_MAX ? share : CORNER_MAX));
    return g / (1.0 + g);
}

static void filter_set(Filter *filter, int is_on, double reach, uint32_t rows) {
    if (rows == 0) {
        glide_jump(&filter->amount, is_on);
        glide_jump(&filter->reach, reach);
    } else {
        glide_to(&filter->amount, is_on, rows);
        glide_to(&filter->reach, reach, rows);
    }
}

void tone_set_damping(Tone *tone, double damping_hz, double sample_rate_hz, uint32_t rows) {
    const int is_on = damping_hz < DAMPING_OFF_HZ;
    filter_set(&tone->damping, is_on, reach_of(damping_hz, sample_rate_hz), rows);
}

void tone_set_low_cut(Tone *tone, double low_cut_hz, double sample_rate_hz, uint32_t rows) {
    const int is_on = low_cut_hz > LOW_CUT_OFF_HZ;
    filter_set(&tone->low_cut, is_on, reach_of(low_cut_hz, sample_rate_hz), rows);
}

void tone_advance(Tone *tone) {
    glide_advance(&tone->damping.amount);
    glide_advance(&tone->damping.reach);
    glide_advance(&tone->low_cut.amount);
    glide_advance(&tone->low_cut.reach);
}

static int filter_is_off(const Filter *filter) {
    /* Glides reach their targets exactly. */
    return !(filter->amount.value > 0.0) && !(filter->amount.before > 0.0);
}

int tone_is_off(const Tone *tone) {
    return filter_is_off(&tone->damping) && filter_is_off(&tone->low_cut);
}

/* The low-passed signal; `integrator` is its state. */
static inline double low_pass(double *integrator, double reach, double sample) {
    const double half = reach * (sample - *integrator);
    const double low = *integrator + half;
    *integrator = low + half;
    return low;
}

void tone_process(const Tone *tone, ToneState *state, float *samples, uint32_t phase,
                  uint32_t frames) {
    ToneState now = *state;
    for (uint32_t at = 0; at < frames; at++) {
        const uint32_t index = phase + at;
        const double sample = (double)samples[at];
        const double damping = glide_at(&tone->damping.amount, index);
        const double damped = low_pass(&now.damped, glide_at(&tone->damping.reach, index), sample);
        /* With an amount of 0 this is the sample itself. */
        const double bright = sample + damping * (damped - sample);
        const double low_cut = glide_at(&tone->low_cut.amount, index);
        const double low = low_pass(&now.low, glide_at(&tone->low_cut.reach, index), bright);
        samples[at] = (float)(bright - low_cut * low);
    }
    *state = now;
}

void tone_tidy(ToneState *state) {
    if (state->damped < STATE_MIN && state->damped > -STATE_MIN) {
        state->damped = 0.0;
    }
    if (state->low < STATE_MIN && state->low > -STATE_MIN) {
        state->low = 0.0;
    }
}
