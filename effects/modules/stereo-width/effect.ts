// Stereo width: gains of mid and side, mono bass, balance. The contract: effects/ABI.md.

import { Bass } from "./bass";
import { BALANCE, MID_DB, MONO_BELOW_HZ, SIDE_DB, WIDTH, description } from "./description";
import { Glide, ROW_FRAMES } from "./glide";

const CHANNELS: i32 = 2;
const FRAMES_MAX: i32 = 65536; // the largest max_frames of the contract
const PLANE_BYTES: usize = 4 * <usize>FRAMES_MAX;

// Results of fx_create and fx_process.
const CONTINUE: i32 = 0;
const SILENT: i32 = 1;
const ERROR_CHANNELS: i32 = -3;

// Memory is taken while the module starts: once fx_create has returned it must not grow.
const planes = memory.data(2 * 4 * 65536, 16);

let width: f64 = 1.0;
let midDb: f64 = 0.0;
let sideDb: f64 = 0.0;
let monoBelowHz: f64 = 20.0;
let balance: f64 = 0.0;

let sampleRate: f64 = 48000.0;
let rowPhase: i32 = 0;

const mid = new Glide();
const side = new Glide();
const left = new Glide();
const right = new Glide();
const bass = new Bass();

function amplitude(db: f64): f64 {
  // Exactly 1 at 0 dB.
  return db == 0.0 ? 1.0 : Math.exp(db * (Math.LN10 / 20.0));
}

export function fx_abi_1(): void {}

export function fx_describe(): usize {
  return changetype<usize>(description);
}

export function fx_set_param(id: i32, value: f64): void {
  if (id == WIDTH) width = value;
  else if (id == MID_DB) midDb = value;
  else if (id == SIDE_DB) sideDb = value;
  else if (id == MONO_BELOW_HZ) monoBelowHz = value;
  else if (id == BALANCE) balance = value;
  if (id == MID_DB) mid.to(amplitude(midDb), sampleRate);
  else if (id == WIDTH || id == SIDE_DB) side.to(width * amplitude(sideDb), sampleRate);
  else if (id == MONO_BELOW_HZ) bass.to(monoBelowHz);
  else if (id == BALANCE) {
    left.to(min(1.0, 1.0 - balance), sampleRate);
    right.to(min(1.0, 1.0 + balance), sampleRate);
  }
}

export function fx_create(rate: f64, channels: i32, maxFrames: i32): i32 {
  if (channels != CHANNELS) return ERROR_CHANNELS;
  sampleRate = rate;
  bass.start(rate);
  fx_reset();
  return CONTINUE;
}

// All parameters are at once where they were going to, and the filter forgets.
export function fx_reset(): void {
  mid.jump(amplitude(midDb));
  side.jump(width * amplitude(sideDb));
  left.jump(min(1.0, 1.0 - balance));
  right.jump(min(1.0, 1.0 + balance));
  bass.jump(monoBelowHz);
  rowPhase = 0;
}

export function fx_in(channel: i32): usize {
  return planes + <usize>channel * PLANE_BYTES;
}

// The same address as the input: in place.
export function fx_out(channel: i32): usize {
  return fx_in(channel);
}

export function fx_tail(): i32 {
  return bass.tail(monoBelowHz);
}

// Whether this row leaves every sample as it is.
function isNeutral(): bool {
  return mid.isConstantly(1.0) && side.isConstantly(1.0) && left.isConstantly(1.0)
    && right.isConstantly(1.0) && bass.amount.isConstantly(0.0);
}

// A row without anything that moves or filters: four frames at a time, the rest one by one with the same arithmetic.
function scale(at: usize, frames: i32): void {
  const m: f32 = 0.5 * <f32>mid.value, s: f32 = 0.5 * <f32>side.value;
  const l = <f32>left.value, r = <f32>right.value;
  const end = at + <usize>frames * 4;
  const m4 = f32x4.splat(m), s4 = f32x4.splat(s), l4 = f32x4.splat(l), r4 = f32x4.splat(r);
  for (; at + 16 <= end; at += 16) {
    const a = v128.load(at), b = v128.load(at + PLANE_BYTES);
    const common = f32x4.mul(f32x4.add(a, b), m4), different = f32x4.mul(f32x4.sub(a, b), s4);
    v128.store(at, f32x4.mul(f32x4.add(common, different), l4));
    v128.store(at + PLANE_BYTES, f32x4.mul(f32x4.sub(common, different), r4));
  }
  for (; at < end; at += 4) {
    const a = load<f32>(at), b = load<f32>(at + PLANE_BYTES);
    const common: f32 = (a + b) * m, different: f32 = (a - b) * s;
    store<f32>(at, (common + different) * l);
    store<f32>(at + PLANE_BYTES, (common - different) * r);
  }
}

// A row with gliding gains, or with the filter. `phase` frames of the row came before.
function glideAndFilter(at: usize, frames: i32, phase: i32): void {
  const midStep = mid.perFrame(), sideStep = side.perFrame();
  const leftStep = left.perFrame(), rightStep = right.perFrame();
  const bassStep = bass.amount.perFrame();
  const isFiltering = !bass.amount.isConstantly(0.0);
  for (let index = phase + 1; index <= phase + frames; index++, at += 4) {
    const a = <f64>load<f32>(at), b = <f64>load<f32>(at + PLANE_BYTES);
    const position = <f64>index;
    let different = 0.5 * (a - b);
    if (isFiltering) different = bass.next(different, bass.amount.start + bassStep * position);
    different *= side.start + sideStep * position;
    const common = 0.5 * (a + b) * (mid.start + midStep * position);
    store<f32>(at, <f32>((common + different) * (left.start + leftStep * position)));
    store<f32>(at + PLANE_BYTES, <f32>((common - different) * (right.start + rightStep * position)));
  }
}

function isStill(): bool {
  return mid.rests() && side.rests() && left.rests() && right.rests()
    && bass.amount.isConstantly(0.0);
}

function beginRow(): void {
  mid.advance();
  side.advance();
  left.advance();
  right.advance();
  bass.advance();
}

export function fx_process(frames: i32): i32 {
  for (let from = 0; from < frames; ) {
    if (rowPhase == 0) beginRow();
    const count = min(ROW_FRAMES - rowPhase, frames - from);
    const at = fx_in(0) + <usize>from * 4;
    if (!isStill()) glideAndFilter(at, count, rowPhase);
    else if (!isNeutral()) scale(at, count);
    from += count;
    rowPhase = (rowPhase + count) % ROW_FRAMES;
  }
  return bass.isQuiet() ? SILENT : CONTINUE;
}
