// Soft clipping: x / (1 + |x|) after a gain.
//
// Works in place on 1 to 8 channels. The contract: effects/ABI.md.

const CHANNELS_MAX: i32 = 8;
const FRAMES_MAX: i32 = 65536; // the largest max_frames of the contract

// Results of fx_create and fx_process.
const CONTINUE: i32 = 0;
const ERROR_CHANNELS: i32 = -3;

// Memory is taken while the module starts: once fx_create has returned it must not grow.
const planes = new StaticArray<f32>(CHANNELS_MAX * FRAMES_MAX);

const description = String.UTF8.encode(
  `{
  "id": "com.example.drive", "name": "Drive", "version": "0.1.0",
  "channels": [1, 8],
  "summary": "Soft clipping.",
  "manual": "The curve x / (1 + |x|) after a gain; without oversampling, so it aliases.",
  "params": [
    {"id": 0, "key": "drive_factor", "name": "Drive", "summary": "Gain before the curve.",
     "min": 0.1, "max": 20, "default": 2, "scale": "log", "flags": ["automatable"]}
  ],
  "presets": {"hot": {"drive_factor": 8}}
}`,
  true, // a zero byte at the end
);

let drive: f32 = 2.0;
let channels: i32 = 0;

export function fx_abi_1(): void {}

export function fx_describe(): usize {
  return changetype<usize>(description);
}

export function fx_set_param(id: i32, value: f64): void {
  if (id == 0) drive = <f32>value;
}

export function fx_create(sampleRate: f64, channelCount: i32, maxFrames: i32): i32 {
  if (channelCount < 1 || channelCount > CHANNELS_MAX) return ERROR_CHANNELS;
  channels = channelCount;
  return CONTINUE;
}

export function fx_in(channel: i32): usize {
  return changetype<usize>(planes) + <usize>(channel * FRAMES_MAX * 4);
}

// The same address as the input: in place.
export function fx_out(channel: i32): usize {
  return fx_in(channel);
}

// Nothing is remembered from frame to frame.
export function fx_reset(): void {}

export function fx_process(frames: i32): i32 {
  for (let channel = 0; channel < channels; channel++) {
    const start = fx_in(channel);
    const end = start + <usize>(frames * 4);
    for (let at = start; at < end; at += 4) {
      const driven = load<f32>(at) * drive;
      store<f32>(at, driven / (1.0 + abs<f32>(driven)));
    }
  }
  return CONTINUE;
}
