/* What the delay says of itself. */
#ifndef DESCRIPTION_H
#define DESCRIPTION_H

/* Ids of the parameters; never given to another one. */
enum {
    PARAM_TIME_MS = 0,
    PARAM_FEEDBACK = 1,
    PARAM_PING_PONG = 2,
    PARAM_DAMPING_HZ = 3,
    PARAM_LOW_CUT_HZ = 4,
    PARAM_MIX = 5,
    PARAM_COUNT = 6
};

/* Longest time between two echoes. */
#define TIME_MS_MAX 2000.0

/* Most channels of the contract. */
#define CHANNELS_MAX 64

/* The defaults, in the order of the ids; the description has the same. */
#define PARAM_DEFAULTS                                                                             \
    { 350.0, 0.35, 0.0, 6000.0, 100.0, 0.3 }

/* The JSON of fx_describe. */
extern const char description[];

#endif
