//! Every cap on modules.

use std::time::Duration;

/// Largest module in bytes.
pub const MODULE_BYTES_MAX: usize = 16 << 20;

/// Memory of an instance in MiB where nothing else was asked.
pub const MEMORY_MIB: u32 = 64;

/// Largest memory in MiB that a pipeline may ask for.
pub const MEMORY_MIB_MAX: u32 = 1024;

/// Pages of 64 KiB in a MiB.
pub(crate) const PAGES_PER_MIB: u32 = 16;

/// Elements of the one table.
pub(crate) const TABLE_ELEMENTS_MAX: usize = 10_000;

/// Stack of the host that a module's calls may use, in bytes.
pub(crate) const STACK_BYTES_MAX: usize = 256 << 10;

/// Time for compiling a module.
pub(crate) const COMPILE_TIME_MAX: Duration = Duration::from_secs(10);

/// Time for instantiating, for `_initialize`, for `fx_describe`, each.
pub(crate) const DESCRIBE_TIME_MAX: Duration = Duration::from_secs(1);

/// Time for `fx_create`.
pub(crate) const CREATE_TIME_MAX: Duration = Duration::from_secs(10);

/// Least time a call gets while a file is processed, whatever the block's duration.
pub(crate) const BLOCK_TIME_MIN: Duration = Duration::from_secs(1);

/// A call's time as a multiple of the block's duration, while a file is processed.
pub(crate) const BLOCK_TIME_FACTOR: u32 = 50;

/// Time of all calls for one file: this plus [`FILE_TIME_FACTOR`] times its duration.
pub(crate) const FILE_TIME_MIN: Duration = Duration::from_mins(1);

/// See [`FILE_TIME_MIN`].
pub(crate) const FILE_TIME_FACTOR: u32 = 20;

/// A live call's time as a multiple of the block's duration, where its caller gives no allowance.
pub(crate) const LIVE_TIME_FACTOR: u32 = 4;

/// Least time of a live call where its caller gives no allowance.
pub(crate) const LIVE_TIME_MIN: Duration = Duration::from_millis(20);

/// Least time of a live call in ticks of which the first is under way, whatever is left of an allowance. A call that ends
/// in time sees as many only if its thread is kept waiting twice within it.
pub(crate) const LIVE_TICKS_MIN: u64 = 3;

/// How often deadlines are looked at while files are processed.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// How often deadlines are looked at while live calls are made.
pub(crate) const LIVE_TICK: Duration = Duration::from_micros(500);

/// How often the clock checks for deadlines while no call has one.
pub(crate) const REST: Duration = Duration::from_millis(10);

/// Most frames of one call.
pub(crate) const FRAMES_MAX: usize = 65_536;

/// Longest latency accepted.
pub(crate) const LATENCY_TIME_MAX: Duration = Duration::from_secs(10);

/// Longest finite tail accepted; a longer one is an infinite one.
pub(crate) const TAIL_TIME_MAX: Duration = Duration::from_mins(10);

/// Largest output sample. +120 dBFS: surely a filter that blew up.
pub(crate) const OUTPUT_AMPLITUDE_MAX: f32 = 1e6;

/// Longest description in bytes.
pub(crate) const DESCRIPTION_BYTES_MAX: usize = 64 << 10;

/// Levels of objects and arrays in a description.
pub(crate) const DESCRIPTION_DEPTH_MAX: usize = 16;

/// Lowest sample rate in Hz a module may name or is created for.
pub(crate) const SAMPLE_RATE_HZ_MIN: u32 = wavemill_core::limits::SAMPLE_RATE_HZ_MIN;

/// Highest sample rate in Hz a module may name or is created for.
pub(crate) const SAMPLE_RATE_HZ_MAX: u32 = wavemill_core::limits::SAMPLE_RATE_HZ_MAX;

/// Sample rates a module may name.
pub(crate) const SAMPLE_RATE_COUNT_MAX: usize = 64;

/// Longest `id` of a module in characters.
pub(crate) const ID_CHARS_MAX: usize = 64;

/// Longest `version` of a module in characters.
pub(crate) const VERSION_CHARS_MAX: usize = 64;

/// Longest name of a module, a parameter or a preset in characters.
pub(crate) const NAME_CHARS_MAX: usize = 64;

/// Longest `key` of a parameter in characters.
pub(crate) const KEY_CHARS_MAX: usize = 32;

/// Longest `unit` of a parameter in characters.
pub(crate) const UNIT_CHARS_MAX: usize = 16;

/// Steps of a parameter.
pub(crate) const STEP_COUNT_MAX: u32 = 1_000_000;

/// Labels of a parameter.
pub(crate) const LABEL_COUNT_MAX: usize = 256;

/// Longest label in characters.
pub(crate) const LABEL_CHARS_MAX: usize = 32;

/// Flags of a parameter.
pub(crate) const FLAG_COUNT_MAX: usize = 16;

/// Longest text of `fx_error` in bytes.
pub(crate) const ERROR_BYTES_MAX: usize = 1024;

/// Channels of a module.
pub(crate) const CHANNEL_COUNT_MAX: u32 = 64;

/// Parameters of a module.
pub(crate) const PARAM_COUNT_MAX: usize = 128;

/// Meters of a module.
pub(crate) const METER_COUNT_MAX: usize = 16;

/// Presets of a module.
pub(crate) const PRESET_COUNT_MAX: usize = 128;

/// Lines of `fx.log` kept.
pub(crate) const LOG_LINES_MAX: usize = 64;

/// Bytes of a line of `fx.log` kept.
pub(crate) const LOG_LINE_BYTES_MAX: usize = 256;

/// Most bytes of compiled code kept in the cache.
pub(crate) const CACHE_BYTES_MAX: u64 = 512 << 20;
