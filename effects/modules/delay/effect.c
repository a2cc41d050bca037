/* A delay: echoes with feedback, ping-pong, and filters in the loop. The contract:
 * wavemill_effect.h.
 *
 * Signal path of a row, for every channel: echo, read from a ring a time before -> the output with
 * the dry input; echo -> filters -> feedback, plus input -> ring. Rows are counted from the start
 * of the stream; within a row work goes in runs that no border of a ring or of the host's block
 * cuts. */

#include "description.h"
#include "glide.h"
#include "memory.h"
#include "tone.h"
#include "wavemill_effect.h"

#include <stddef.h>

/* How long a new time takes to be faded in. */
#define FADE_MS 50.0

/* Loop signals smaller than this are dropped, -180 dBFS: a loop that rings out gets silent, not
 * denormal. */
#define LOOP_MIN 1e-9f

/* What is left of full scale when the tail ends, -120 dBFS. */
#define TAIL_AMPLITUDE 1e-6

/* Time in which the loop's filters have forgotten their input to -120 dBFS, with the lowest
 * low-cut. */
#define FILTER_TAIL_MS 120.0

typedef float Row[ROW_FRAMES];

/* What the ramps of the row at hand begin with and add. */
typedef struct {
    Ramp feedback;
    Ramp cross; /* share of the ping-pong */
    Ramp mix;
} Ramps;

/* The stretch of frames that is worked on at once. */
typedef struct {
    uint32_t from;   /* first frame in the host's block */
    uint32_t frames; /* 1 to ROW_FRAMES */
    uint32_t phase;  /* frames of the row before it */
} Run;

static double params[PARAM_COUNT] = PARAM_DEFAULTS;

/* The stream. */
static double sample_rate_hz;
static uint32_t channel_count;
static uint32_t glide_rows;
static uint32_t fade_frames;
static float *planes;
static uint32_t plane_frames;

/* The rings, one after the other: the longest time. */
static float *rings;
static uint32_t ring_frames;
static uint32_t write_at;

/* Delays in frames: what sounds, and what is being faded in where that is another. */
static uint32_t delay_frames;
static uint32_t next_frames;
static uint32_t faded_frames;

/* Frames for which nothing but zeros went into the rings, at most ring_frames. */
static uint32_t quiet_frames;

static uint32_t row_phase;
static Glide feedback, cross, mix;
static Ramps ramps;
static Tone tone;
static ToneState tone_states[CHANNELS_MAX];
static Row echoes[CHANNELS_MAX];
static Row returns[CHANNELS_MAX];

static uint32_t smaller(uint32_t a, uint32_t b) { return a < b ? a : b; }

/* Whole frames of a time, at least 1. */
static uint32_t frames_of_ms(double time_ms) {
    const double frames = time_ms * 0.001 * sample_rate_hz + 0.5;
    return frames < 1.0 ? 1 : (uint32_t)frames;
}

static float *ring_of(uint32_t channel) { return rings + (size_t)channel * ring_frames; }

/* Where in a ring that sample lies which is `delay` frames older than the next one to be written.
 */
static uint32_t read_at(uint32_t delay) {
    return write_at >= delay ? write_at - delay : write_at + ring_frames - delay;
}

/* ---- parameters ---- */

FX_EXPORT(fx_set_param) void fx_set_param(uint32_t id, double value) {
    if (id >= PARAM_COUNT) {
        return;
    }
    params[id] = value;
    if (rings == NULL) {
        return; /* before fx_create, which takes them all */
    }
    switch (id) {
    case PARAM_FEEDBACK:
        glide_to(&feedback, value, glide_rows);
        break;
    case PARAM_PING_PONG:
        glide_to(&cross, value, glide_rows);
        break;
    case PARAM_DAMPING_HZ:
        tone_set_damping(&tone, value, sample_rate_hz, glide_rows);
        break;
    case PARAM_LOW_CUT_HZ:
        tone_set_low_cut(&tone, value, sample_rate_hz, glide_rows);
        break;
    case PARAM_MIX:
        glide_to(&mix, value, glide_rows);
        break;
    default: /* a time is taken where the next row begins */
        break;
    }
}

/* All parameters are at once where they were going to. */
static void finish_glides(void) {
    glide_jump(&feedback, params[PARAM_FEEDBACK]);
    glide_jump(&cross, params[PARAM_PING_PONG]);
    glide_jump(&mix, params[PARAM_MIX]);
    tone_set_damping(&tone, params[PARAM_DAMPING_HZ], sample_rate_hz, 0);
    tone_set_low_cut(&tone, params[PARAM_LOW_CUT_HZ], sample_rate_hz, 0);
    delay_frames = smaller(frames_of_ms(params[PARAM_TIME_MS]), ring_frames);
    next_frames = delay_frames;
    faded_frames = 0;
}

/* ---- life ---- */

FX_EXPORT(fx_abi_1) void fx_abi_1(void) {}

FX_EXPORT(fx_describe) const char *fx_describe(void) { return description; }

FX_EXPORT(fx_reset) void fx_reset(void) {
    finish_glides();
    for (uint32_t channel = 0; channel < CHANNELS_MAX; channel++) {
        tone_states[channel] = (ToneState){0};
    }
    /* Rings that hold zeros only need no clearing. */
    if (quiet_frames < ring_frames) {
        memory_clear(rings, (uint64_t)ring_frames * channel_count);
    }
    write_at = 0;
    row_phase = 0;
    quiet_frames = ring_frames;
}

FX_EXPORT(fx_create)
int32_t fx_create(double sample_rate, uint32_t channels, uint32_t max_frames) {
    if (channels == 0 || channels > CHANNELS_MAX) {
        return FX_ERROR_CHANNELS;
    }
    sample_rate_hz = sample_rate;
    channel_count = channels;
    glide_rows = frames_of_ms(GLIDE_MS) / ROW_FRAMES;
    glide_rows = glide_rows > 0 ? glide_rows : 1;
    fade_frames = frames_of_ms(FADE_MS) / ROW_FRAMES * ROW_FRAMES;
    fade_frames = fade_frames > 0 ? fade_frames : ROW_FRAMES;
    plane_frames = (max_frames + 3) & ~3u; /* keeps every plane aligned to 16 bytes */
    ring_frames = frames_of_ms(TIME_MS_MAX);
    memory_release();
    planes = memory_take((uint64_t)plane_frames * channels * sizeof(float));
    rings = memory_take((uint64_t)ring_frames * channels * sizeof(float));
    if (planes == NULL || rings == NULL) {
        return FX_ERROR_MEMORY;
    }
    quiet_frames = ring_frames;
    fx_reset();
    return FX_CONTINUE;
}

FX_EXPORT(fx_in) float *fx_in(uint32_t channel) { return planes + (size_t)channel * plane_frames; }

/* The same address as the input: in place. */
FX_EXPORT(fx_out) float *fx_out(uint32_t channel) { return fx_in(channel); }

/* Echo n has at most feedback^(n - 1) / (1 - feedback) of the input's peak: the quotient is for
 * input that lasts. Each round through a filter adds its delay, at most 1 / (2 pi f). */
FX_EXPORT(fx_tail) uint32_t fx_tail(void) {
    const double tau = 6.283185307179586;
    double left = 1.0 / (1.0 - params[PARAM_FEEDBACK]);
    double rounds = 0.0;
    while (left > TAIL_AMPLITUDE && params[PARAM_FEEDBACK] > 0.0) {
        left *= params[PARAM_FEEDBACK];
        rounds += 1.0;
    }
    double round_ms = params[PARAM_TIME_MS], filter_ms = 0.0;
    if (params[PARAM_DAMPING_HZ] < DAMPING_OFF_HZ) {
        round_ms += 1000.0 / (tau * params[PARAM_DAMPING_HZ]);
        filter_ms = FILTER_TAIL_MS;
    }
    if (params[PARAM_LOW_CUT_HZ] > LOW_CUT_OFF_HZ) {
        round_ms += 1000.0 / (tau * params[PARAM_LOW_CUT_HZ]);
        filter_ms = FILTER_TAIL_MS;
    }
    const double tail_ms = rounds > 0.0 ? rounds * round_ms + filter_ms : 0.0;
    return frames_of_ms(params[PARAM_TIME_MS]) + (tail_ms > 0.0 ? frames_of_ms(tail_ms) : 0);
}

/* ---- audio ---- */

/* A row begins: parameters move, a new time begins to be faded in. */
static void begin_row(void) {
    ramps.feedback = glide_advance(&feedback);
    ramps.cross = glide_advance(&cross);
    ramps.mix = glide_advance(&mix);
    tone_advance(&tone);
    if (next_frames != delay_frames && faded_frames == fade_frames) {
        delay_frames = next_frames;
    }
    if (next_frames == delay_frames) {
        next_frames = smaller(frames_of_ms(params[PARAM_TIME_MS]), ring_frames);
        faded_frames = 0;
    }
    for (uint32_t channel = 0; channel < channel_count; channel++) {
        tone_tidy(&tone_states[channel]);
    }
}

/* The longest run from frame `from` of a block of `frames` on: it ends with the row and at the ends
 * of the rings, and reads nothing that it writes. */
static Run next_run(uint32_t from, uint32_t frames) {
    uint32_t count = smaller(ROW_FRAMES - row_phase, frames - from);
    count = smaller(count, ring_frames - write_at);
    count = smaller(count, smaller(delay_frames, ring_frames - read_at(delay_frames)));
    count = smaller(count, smaller(next_frames, ring_frames - read_at(next_frames)));
    return (Run){.from = from, .frames = count, .phase = row_phase};
}

static void read_echo(uint32_t channel, Run run) {
    const float *const ring = ring_of(channel);
    const float *const old = ring + read_at(delay_frames);
    const float *const next = ring + read_at(next_frames);
    float *const echo = echoes[channel];
    if (next_frames == delay_frames) {
        for (uint32_t at = 0; at < run.frames; at++) {
            echo[at] = old[at];
        }
        return;
    }
    const float per_frame = 1.0f / (float)fade_frames;
    const uint32_t faded = faded_frames + 1;
    for (uint32_t at = 0; at < run.frames; at++) {
        const float share = (float)(faded + at) * per_frame;
        echo[at] = old[at] + share * (next[at] - old[at]);
    }
}

/* What comes back of an echo, through the filters and times the feedback. */
static void make_return(uint32_t channel, Run run) {
    float *const back = returns[channel];
    for (uint32_t at = 0; at < run.frames; at++) {
        back[at] = echoes[channel][at];
    }
    if (tone_is_off(&tone)) {
        tone_states[channel] = (ToneState){0};
    } else {
        tone_process(&tone, &tone_states[channel], back, run.phase, run.frames);
    }
    for (uint32_t at = 0; at < run.frames; at++) {
        back[at] *= ramp_at(ramps.feedback, run.phase + at);
    }
}

/* Writes a channel's input and return to its ring. */
static void write_ring(uint32_t channel, Run run, const float *input) {
    float *const ring = ring_of(channel) + write_at;
    const float *const back = returns[channel];
    for (uint32_t at = 0; at < run.frames; at++) {
        ring[at] = input[at] + back[at];
    }
}

/* The same for the first two channels while they play ping-pong: the input goes left, returns cross
 * over. */
static void write_pair(Run run, const float *left, const float *right) {
    float *const left_ring = ring_of(0) + write_at;
    float *const right_ring = ring_of(1) + write_at;
    for (uint32_t at = 0; at < run.frames; at++) {
        const float share = ramp_at(ramps.cross, run.phase + at);
        const float rest = 1.0f - share;
        const float sum = 0.5f * (left[at] + right[at]);
        const float from_left = returns[0][at], from_right = returns[1][at];
        left_ring[at] = rest * (left[at] + from_left) + share * (sum + from_right);
        right_ring[at] = rest * (right[at] + from_right) + share * from_left;
    }
}

/* Drops what is too quiet in a ring's new frames. Returns whether nothing is left. */
static int drop_quiet(uint32_t channel, uint32_t frames) {
    float *const ring = ring_of(channel) + write_at;
    float largest = 0.0f;
    for (uint32_t at = 0; at < frames; at++) {
        const float size = ring[at] < 0.0f ? -ring[at] : ring[at];
        ring[at] = size < LOOP_MIN ? 0.0f : ring[at];
        largest = size > largest ? size : largest;
    }
    return largest < LOOP_MIN;
}

static void mix_out(uint32_t channel, Run run, float *samples) {
    const float *const echo = echoes[channel];
    for (uint32_t at = 0; at < run.frames; at++) {
        const float share = ramp_at(ramps.mix, run.phase + at);
        samples[at] = samples[at] * (1.0f - share) + echo[at] * share;
    }
}

static void process_run(Run run) {
    const int is_crossing = cross.value > 0.0 || ramps.cross.start > 0.0f;
    const uint32_t paired = channel_count > 1 && is_crossing ? 2 : 0;
    int is_quiet = 1;
    for (uint32_t channel = 0; channel < channel_count; channel++) {
        read_echo(channel, run);
        make_return(channel, run);
    }
    if (paired > 0) {
        write_pair(run, fx_in(0) + run.from, fx_in(1) + run.from);
    }
    for (uint32_t channel = 0; channel < channel_count; channel++) {
        float *const samples = fx_in(channel) + run.from;
        if (channel >= paired) {
            write_ring(channel, run, samples);
        }
        is_quiet &= drop_quiet(channel, run.frames);
        mix_out(channel, run, samples);
    }
    quiet_frames = is_quiet ? smaller(quiet_frames + run.frames, ring_frames) : 0;
}

FX_EXPORT(fx_process) int32_t fx_process(uint32_t frames) {
    uint32_t from = 0;
    while (from < frames) {
        if (row_phase == 0) {
            begin_row();
        }
        const Run run = next_run(from, frames);
        process_run(run);
        from += run.frames;
        row_phase = (row_phase + run.frames) % ROW_FRAMES;
        write_at = (write_at + run.frames) % ring_frames;
        if (next_frames != delay_frames) {
            faded_frames += run.frames;
        }
    }
    return quiet_frames == ring_frames ? FX_SILENT : FX_CONTINUE;
}
