/* The effect contract fx_abi_1 for C and C++. The whole of it is in effects/ABI.md.
 *
 * An effect is one WebAssembly module without libc; one instance is one effect on one stream.
 * Order of calls: fx_describe at any time; fx_set_param once for every parameter; fx_create;
 * fx_in, fx_out, fx_latency, fx_tail; then fx_process, fx_set_param and fx_reset in any order.
 * Calls never overlap. Samples are 32-bit floats, one row of them per channel, full scale +-1.0.
 */
#ifndef WAVEMILL_EFFECT_H
#define WAVEMILL_EFFECT_H

#include <stdint.h>

#ifdef __cplusplus
#define FX_EXTERN extern "C"
#else
#define FX_EXTERN extern
#endif

/* Put before the definition of a function of the contract: FX_EXPORT(fx_process) int32_t ... */
#define FX_EXPORT(name) __attribute__((export_name(#name)))
#define FX_IMPORT(module, name) __attribute__((import_module(module), import_name(name)))

/* Results of fx_create and fx_process. */
#define FX_CONTINUE 0     /* go on */
#define FX_SILENT 1       /* fx_process: from here on zero for as long as the input is */
#define FX_ERROR (-1)     /* fx_error says which */
#define FX_ERROR_RATE (-2)     /* this sample rate is not supported */
#define FX_ERROR_CHANNELS (-3) /* this number of channels is not supported */
#define FX_ERROR_MEMORY (-4)   /* not enough memory */
#define FX_ERROR_PARAMS (-5)   /* these parameters do not go together */

/* fx_tail: it sounds for ever. */
#define FX_TAIL_INFINITE UINT32_MAX

/* Levels of fx_log. */
#define FX_LOG_ERROR 0
#define FX_LOG_WARNING 1
#define FX_LOG_INFO 2
#define FX_LOG_DEBUG 3

/* ---- required ---- */

/* Marker of version 1; never called. */
FX_EXTERN void fx_abi_1(void);

/* The description: UTF-8 JSON ended by a zero byte, at most 64 KiB, always the same. */
FX_EXTERN const char *fx_describe(void);

/* Prepares for a stream with the parameters set so far, which it must not set back.
 * sample_rate: Hz. channels: within the description. max_frames: 1 to 65,536.
 * May be called again for another stream. The last place where memory may grow.
 * Returns FX_CONTINUE or an FX_ERROR. */
FX_EXTERN int32_t fx_create(double sample_rate, uint32_t channels, uint32_t max_frames);

/* Where the host writes the input, and reads the output, of a channel: max_frames floats each,
 * the same until the next fx_create. Equal addresses mean in place. */
FX_EXTERN float *fx_in(uint32_t channel);
FX_EXTERN float *fx_out(uint32_t channel);

/* Processes 1 <= frames <= max_frames frames; how a stream is cut must not change the output.
 * Returns FX_CONTINUE, FX_SILENT or an FX_ERROR. Must not write NaN or infinity. */
FX_EXTERN int32_t fx_process(uint32_t frames);

/* ---- optional ---- */

/* Sets a parameter, from the next frame on; value lies within its min and max. */
FX_EXTERN void fx_set_param(uint32_t id, double value);

/* Forgets the signal: from here on the same, bit by bit, as a fresh instance. */
FX_EXTERN void fx_reset(void);

/* Frames by which output lags behind input; constant after fx_create. */
FX_EXTERN uint32_t fx_latency(void);

/* Frames it sounds on after its input ended, or FX_TAIL_INFINITE. */
FX_EXTERN uint32_t fx_tail(void);

/* The reason for the last error: UTF-8 ended by a zero byte, at most 1,024 bytes. */
FX_EXTERN const char *fx_error(void);

/* Since 1.1: what the meter at this position of the description's list `meters` shows for the last
 * fx_process, within its min and max. Asking must not change what is heard. */
FX_EXTERN float fx_meter(uint32_t index);

/* ---- import ---- */

/* A line of UTF-8 for the author; ignored once fx_create has returned. */
FX_IMPORT("fx", "log") FX_EXTERN void fx_log(int32_t level, const char *text, uint32_t length);

#endif
