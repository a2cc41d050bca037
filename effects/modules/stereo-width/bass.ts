// The high-pass that takes low frequencies out of the side signal.
//
// Second-order Butterworth, as a state-variable filter with trapezoidal integrators, which may be retuned while it runs. Source: Zavalishin,
// "The Art of VA Filter Design", rev. 2.1.2, 2018, ch. 4.

import { Glide } from "./glide";

// At this frequency it is off.
export const OFF_HZ: f64 = 20.0;

// States smaller than this are zero: -240 dBFS, long before they get denormal.
const STATE_MIN: f64 = 1e-12;

// Highest corner as a part of the sample rate: the tangent ends at 1/2.
const CORNER_MAX: f64 = 0.49;

// -120 dB: how far the filter has decayed where its tail ends.
const TAIL_NEPERS: f64 = 13.815510557964274;

export class Bass {
  // 0: off, the signal passes to the bit; 1: on.
  amount: Glide = new Glide();
  private corner: Glide = new Glide();
  private sampleRate: f64 = 48000.0;
  private first: f64 = 0.0;
  private second: f64 = 0.0;
  // Coefficients of this row.
  private a1: f64 = 0.0;
  private a2: f64 = 0.0;
  private a3: f64 = 0.0;
  private tunedTo: f64 = 0.0;

  // A stream begins.
  start(sampleRate: f64): void {
    this.sampleRate = sampleRate;
    this.tunedTo = 0.0;
  }

  // Moves to a corner frequency.
  to(cornerHz: f64): void {
    this.amount.to(cornerHz > OFF_HZ ? 1.0 : 0.0, this.sampleRate);
    this.corner.to(cornerHz, this.sampleRate);
  }

  // Is at a corner frequency at once, and forgets the signal.
  jump(cornerHz: f64): void {
    this.amount.jump(cornerHz > OFF_HZ ? 1.0 : 0.0);
    this.corner.jump(cornerHz);
    this.forget();
  }

  private forget(): void {
    this.first = 0.0;
    this.second = 0.0;
  }

  // The next row begins.
  advance(): void {
    this.amount.advance();
    this.corner.advance();
    if (this.amount.isConstantly(0.0)) {
      this.forget();
      return;
    }
    if (abs(this.first) < STATE_MIN && abs(this.second) < STATE_MIN) this.forget();
    if (this.tunedTo != this.corner.value) this.tune(this.corner.value);
  }

  private tune(cornerHz: f64): void {
    const g = Math.tan(Math.PI * min(cornerHz / this.sampleRate, CORNER_MAX));
    this.a1 = 1.0 / (1.0 + g * (g + Math.SQRT2));
    this.a2 = g * this.a1;
    this.a3 = g * this.a2;
    this.tunedTo = cornerHz;
  }

  // The side signal's next sample without its bass, as far as the amount says.
  @inline
  next(side: f64, amount: f64): f64 {
    const v3 = side - this.second;
    const band = this.a1 * this.first + this.a2 * v3;
    const low = this.second + this.a2 * this.first + this.a3 * v3;
    this.first = 2.0 * band - this.first;
    this.second = 2.0 * low - this.second;
    return side - amount * (Math.SQRT2 * band + low);
  }

  // Whether nothing of the signal is left in it.
  isQuiet(): bool {
    return this.first == 0.0 && this.second == 0.0;
  }

  // Frames until it has decayed: its poles have a real part of -2 pi f / sqrt(2).
  tail(cornerHz: f64): i32 {
    if (cornerHz <= OFF_HZ) return 0;
    return <i32>Math.ceil((TAIL_NEPERS * this.sampleRate) / (Math.PI * Math.SQRT2 * cornerHz));
  }
}
