// What stereo-width says of itself.

// Ids of the parameters; never given to another one.
export const WIDTH: i32 = 0;
export const MID_DB: i32 = 1;
export const SIDE_DB: i32 = 2;
export const MONO_BELOW_HZ: i32 = 3;
export const BALANCE: i32 = 4;

export const description = String.UTF8.encode(
  `{
  "id": "wavemill.stereo-width", "name": "Stereo width", "version": "1.0.0",
  "channels": [2, 2],
  "summary": "Width, mid and side gain, mono bass and balance of a stereo signal.",
  "manual": "Works on mid = (left + right) / 2 and side = (left - right) / 2, and turns them back into left = mid + side, right = mid - side. Source: A. D. Blumlein, British patent 394,325, 1931.\\n\\nWith all parameters at their defaults the signal passes to the bit; width 0 is mono. Mono listeners hear the mid signal only, so widths above 1 are lost on them, and raise peaks: by up to 6 dB at width 2. mono_below_hz takes low frequencies out of the side signal by a second-order Butterworth high-pass (12 dB an octave), as vinyl and large rooms like it; the side signal is shifted in phase around that frequency. balance turns one side down and never the other up. Parameters glide within 20 ms. No latency.",
  "params": [
    {"id": 0, "key": "width", "name": "Width", "min": 0, "max": 2, "default": 1, "flags": ["automatable"],
     "summary": "Factor of the side signal: 0 is mono, 1 leaves it, 2 doubles it."},
    {"id": 1, "key": "mid_db", "name": "Mid gain", "unit": "dB", "min": -24, "max": 24, "default": 0, "flags": ["automatable"],
     "summary": "Gain of what left and right have in common."},
    {"id": 2, "key": "side_db", "name": "Side gain", "unit": "dB", "min": -24, "max": 24, "default": 0, "flags": ["automatable"],
     "summary": "Gain of what differs between left and right, besides the width."},
    {"id": 3, "key": "mono_below_hz", "name": "Mono below", "unit": "Hz", "min": 20, "max": 500, "default": 20, "scale": "log", "flags": ["automatable"],
     "summary": "Frequencies below lose their side signal; 20 Hz is off."},
    {"id": 4, "key": "balance", "name": "Balance", "min": -1, "max": 1, "default": 0, "flags": ["automatable"],
     "summary": "-1 is left only, 1 right only; turns down the other side."}
  ],
  "presets": {
    "mono": {"width": 0},
    "narrow": {"width": 0.6},
    "wide": {"width": 1.4, "mono_below_hz": 120},
    "very-wide": {"width": 1.8, "mono_below_hz": 180, "mid_db": -1},
    "mono-bass": {"mono_below_hz": 120},
    "vinyl": {"width": 0.9, "mono_below_hz": 250},
    "center-forward": {"mid_db": 1.5, "side_db": -1.5},
    "master-wide": {"width": 1.12, "mono_below_hz": 100}
  },
  "license": "MIT OR Apache-2.0"
}`,
  true, // a zero byte at the end
);
