/* A tremolo: the volume of all channels rises and falls together.
 *
 * Works in place on 1 to 8 channels, without libc. The contract: wavemill_effect.h. */

#include "wavemill_effect.h"

#define CHANNELS_MAX 8
#define FRAMES_MAX 65536 /* the largest max_frames of the contract */

/* Ids of the parameters, as the description has them. */
enum { PARAM_RATE = 0, PARAM_DEPTH = 1 };

static float planes[CHANNELS_MAX][FRAMES_MAX];

static struct {
    double rate_hz;        /* cycles of the volume per second */
    double depth;          /* 0: unchanged, 1: down to silence */
    double sample_rate_hz; /* of the stream */
    double phase;          /* of the cycle, 0 to 1 */
    uint32_t channels;     /* of the stream */
} state = {.rate_hz = 5.0, .depth = 0.5};

static const char description[] =
    "{"
    "\"id\": \"com.example.tremolo\", \"name\": \"Tremolo\", \"version\": \"0.1.0\","
    "\"channels\": [1, 8],"
    "\"summary\": \"The volume rises and falls.\","
    "\"manual\": \"Volume follows a smooth triangle, the same on all channels.\","
    "\"params\": ["
    "{\"id\": 0, \"key\": \"rate_hz\", \"name\": \"Rate\", \"unit\": \"Hz\","
    " \"summary\": \"Cycles per second.\","
    " \"min\": 0.1, \"max\": 20, \"default\": 5, \"scale\": \"log\", \"flags\": [\"automatable\"]},"
    "{\"id\": 1, \"key\": \"depth\", \"name\": \"Depth\","
    " \"summary\": \"How far the volume falls; 1 is silence.\","
    " \"min\": 0, \"max\": 1, \"default\": 0.5, \"flags\": [\"automatable\"]}"
    "],"
    "\"presets\": {\"slow\": {\"rate_hz\": 1.5, \"depth\": 0.3}}"
    "}";

/* Volume at a phase of the cycle: 1 at 0, 1 - depth half a cycle later. */
static double volume(double phase) {
    const double rising = phase < 0.5 ? 2.0 * phase : 2.0 - 2.0 * phase;
    /* 3x^2 - 2x^3 takes the corners off the triangle. */
    return 1.0 - state.depth * rising * rising * (3.0 - 2.0 * rising);
}

FX_EXPORT(fx_abi_1) void fx_abi_1(void) {}

FX_EXPORT(fx_describe) const char *fx_describe(void) { return description; }

FX_EXPORT(fx_set_param) void fx_set_param(uint32_t id, double value) {
    switch (id) {
    case PARAM_RATE:
        state.rate_hz = value;
        break;
    case PARAM_DEPTH:
        state.depth = value;
        break;
    default:
        break;
    }
}

FX_EXPORT(fx_create)
int32_t fx_create(double sample_rate, uint32_t channels, uint32_t max_frames) {
    if (channels == 0 || channels > CHANNELS_MAX) {
        return FX_ERROR_CHANNELS;
    }
    if (max_frames > FRAMES_MAX) {
        return FX_ERROR_MEMORY;
    }
    state.sample_rate_hz = sample_rate;
    state.channels = channels;
    state.phase = 0.0;
    return FX_CONTINUE;
}

FX_EXPORT(fx_reset) void fx_reset(void) { state.phase = 0.0; }

FX_EXPORT(fx_in) float *fx_in(uint32_t channel) { return planes[channel % CHANNELS_MAX]; }

/* The same address as the input: in place. */
FX_EXPORT(fx_out) float *fx_out(uint32_t channel) { return fx_in(channel); }

FX_EXPORT(fx_process) int32_t fx_process(uint32_t frames) {
    const double step = state.rate_hz / state.sample_rate_hz;
    double phase = state.phase;
    for (uint32_t frame = 0; frame < frames; frame++) {
        const float factor = (float)volume(phase);
        for (uint32_t channel = 0; channel < state.channels; channel++) {
            planes[channel][frame] *= factor;
        }
        phase += step;
        if (phase >= 1.0) {
            phase -= 1.0;
        }
    }
    state.phase = phase;
    return FX_CONTINUE;
}
