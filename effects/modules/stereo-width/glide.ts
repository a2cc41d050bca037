// A value that glides to what it was set to, row by row.
//
// Rows are counted from the start of the stream, so that the output does not depend on how a host cuts it.

// Frames of a row: 0.7 ms at 48 kHz, so that steps of slow controls stay inaudible; a multiple of the SIMD width.
export const ROW_FRAMES: i32 = 32;

// How long a parameter takes to a new value: long enough to make no click, short enough to feel immediate.
const GLIDE_MS: f64 = 20.0;

export class Glide {
  // At the end of this row.
  value: f64 = 0.0;
  // At its beginning.
  start: f64 = 0.0;
  // Where it is going to.
  target: f64 = 0.0;
  // What a row adds.
  private step: f64 = 0.0;
  // Rows until it is there.
  private left: i32 = 0;

  // Moves to `target`, from the next row on.
  to(target: f64, sampleRate: f64): void {
    const rows = max<i32>(<i32>((GLIDE_MS * 0.001 * sampleRate) / ROW_FRAMES), 1);
    this.target = target;
    this.step = (target - this.value) / rows;
    this.left = rows;
  }

  // Is at `target` at once.
  jump(target: f64): void {
    this.value = target;
    this.start = target;
    this.target = target;
    this.left = 0;
  }

  // The next row begins.
  advance(): void {
    this.start = this.value;
    if (this.left == 0) return;
    this.left--;
    // Exactly at the target in the end.
    this.value = this.left == 0 ? this.target : this.value + this.step;
  }

  // Whether this row does not move it.
  rests(): bool {
    return this.start == this.value;
  }

  // Whether it has this value in the whole row.
  isConstantly(value: f64): bool {
    return this.rests() && this.value == value;
  }

  // What a frame adds in this row: at frame `index` the value is start + perFrame * (index + 1).
  perFrame(): f64 {
    return (this.value - this.start) / ROW_FRAMES;
  }
}
