//! An echo: the signal comes back quieter and quieter.
//!
//! Works in place on 1 or 2 channels. The contract: effects/ABI.md.

const channels_max = 2;
/// The largest max_frames of the contract.
const frames_max = 65_536;
/// Longest time between two repetitions.
const time_ms_max = 1_000.0;
/// Room for it at 192 kHz; the description allows no higher sample rate.
const delay_frames_max = 192_000;
/// The tail ends where it has fallen by 120 dB.
const tail_end = 0.000001;

const Result = struct {
    const go_on: i32 = 0;
    const wrong_channels: i32 = -3;
};

const description =
    \\{
    \\  "id": "com.example.echo", "name": "Echo", "version": "0.1.0",
    \\  "channels": [1, 2],
    \\  "sample_rates": [8000, 11025, 16000, 22050, 24000, 32000, 44100, 48000, 88200, 96000, 176400, 192000],
    \\  "summary": "The signal comes back quieter and quieter.",
    \\  "params": [
    \\    {"id": 0, "key": "time_ms", "name": "Time", "unit": "ms", "summary": "Between two repetitions.",
    \\     "min": 10, "max": 1000, "default": 300, "flags": ["restart"]},
    \\    {"id": 1, "key": "feedback_factor", "name": "Feedback", "summary": "Of each repetition against the one before.",
    \\     "min": 0, "max": 0.9, "default": 0.4, "flags": ["restart"]}
    \\  ],
    \\  "presets": {"slapback": {"time_ms": 90, "feedback_factor": 0.1}}
    \\}
;

var planes: [channels_max][frames_max]f32 align(16) = undefined;
var echoes: [channels_max][delay_frames_max]f32 = undefined;

var time_ms: f64 = 300.0;
var feedback_factor: f64 = 0.4;
var channel_count: usize = 0;
var delay_frames: usize = 1;
var at: usize = 0;

export fn fx_abi_1() void {}

export fn fx_describe() [*:0]const u8 {
    return description;
}

export fn fx_set_param(id: u32, value: f64) void {
    switch (id) {
        0 => time_ms = value,
        1 => feedback_factor = value,
        else => {},
    }
}

export fn fx_create(sample_rate: f64, channels: u32, max_frames: u32) i32 {
    _ = max_frames;
    if (channels == 0 or channels > channels_max) return Result.wrong_channels;
    channel_count = channels;
    const frames: usize = @intFromFloat(time_ms * 0.001 * sample_rate);
    delay_frames = @max(1, @min(frames, delay_frames_max));
    fx_reset();
    return Result.go_on;
}

export fn fx_reset() void {
    at = 0;
    for (&echoes) |*echo| @memset(echo[0..delay_frames], 0);
}

export fn fx_in(channel: u32) [*]f32 {
    return &planes[channel % channels_max];
}

/// The same address as the input: in place.
export fn fx_out(channel: u32) [*]f32 {
    return fx_in(channel);
}

export fn fx_process(frames: u32) i32 {
    const feedback: f32 = @floatCast(feedback_factor);
    for (0..channel_count) |channel| {
        const echo = echoes[channel][0..delay_frames];
        var position = at;
        for (planes[channel][0..frames]) |*sample| {
            const returned = echo[position];
            echo[position] = (sample.* + returned) * feedback;
            sample.* += returned;
            position += 1;
            if (position == delay_frames) position = 0;
        }
    }
    at = (at + frames) % delay_frames;
    return Result.go_on;
}

/// Repetitions until they have fallen by 120 dB.
export fn fx_tail() u32 {
    var level = feedback_factor;
    var repetitions: u32 = 1;
    while (level > tail_end) : (repetitions += 1) level *= feedback_factor;
    return repetitions * @as(u32, @intCast(delay_frames));
}
