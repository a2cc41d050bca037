// On the audio thread: sends what comes in to the page, and plays what the program answered. A little is kept in store, since
// a network is not as even as a sound card. The dry signal is kept beside it, so that bypass is in time.

declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, processor: unknown): void;

/** Frames of a message: 10 ms at 48 kHz. */
const PART_FRAMES = 480;
/** Frames in store before it plays; each gap asks for more. */
const STORE_FRAMES = 2880;
const STORE_FRAMES_MORE = 1440;
/** The most that may be in store: what is more is old. */
const STORE_FRAMES_MAX = 19200;
const RING_FRAMES = 1 << 17;
/** Length of the fade between wet and dry. */
const FADE_FRAMES = 960;

class Live extends AudioWorkletProcessor {
  private part = new Float32Array(PART_FRAMES * 2);
  private filled = 0;
  private readonly wet = [new Float32Array(RING_FRAMES), new Float32Array(RING_FRAMES)];
  private readonly dry = [new Float32Array(RING_FRAMES), new Float32Array(RING_FRAMES)];
  /** Frames that came in, came back, and were played, since the stream began. */
  private sent = 0;
  private received = 0;
  private played = 0;
  private latency = 0;
  private store = STORE_FRAMES;
  private isFlowing = false;
  private mix = 1;
  private mixTo = 1;
  private isOver = false;

  constructor() {
    super();
    this.port.onmessage = ({ data }) => {
      if (data instanceof Float32Array) this.take(data);
      else if (data === "end") this.isOver = true;
      else if (data.bypass !== undefined) this.mixTo = data.bypass ? 0 : 1;
      else if (data.latency !== undefined) {
        this.latency = data.latency;
        this.sent = this.received = this.played = this.filled = 0;
        this.isFlowing = false;
      }
    };
  }

  private take(interleaved: Float32Array) {
    for (let index = 0; index + 1 < interleaved.length; index += 2) {
      const at = this.received % RING_FRAMES;
      this.wet[0]![at] = interleaved[index]!;
      this.wet[1]![at] = interleaved[index + 1]!;
      this.received += 1;
    }
    const inStore = this.received - this.played;
    if (inStore > STORE_FRAMES_MAX) this.played = this.received - this.store;
    if (!this.isFlowing && inStore >= this.store) this.isFlowing = true;
  }

  process(inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    const input = inputs[0] ?? [];
    const [left, right] = [outputs[0]![0]!, outputs[0]![1] ?? outputs[0]![0]!];
    const frames = left.length;
    for (let index = 0; index < frames; index += 1) {
      const one = input[0]?.[index] ?? 0;
      const two = input[1]?.[index] ?? one;
      const at = this.sent % RING_FRAMES;
      this.dry[0]![at] = one;
      this.dry[1]![at] = two;
      this.sent += 1;
      this.part[this.filled * 2] = one;
      this.part[this.filled * 2 + 1] = two;
      this.filled += 1;
      if (this.filled === PART_FRAMES) {
        this.port.postMessage(this.part, [this.part.buffer]);
        this.part = new Float32Array(PART_FRAMES * 2);
        this.filled = 0;
      }
    }
    for (let index = 0; index < frames && this.isFlowing; index += 1) {
      if (this.played >= this.received) {
        this.isFlowing = false;
        this.store = Math.min(STORE_FRAMES_MAX / 2, this.store + STORE_FRAMES_MORE);
        this.port.postMessage("gap");
        break;
      }
      const at = this.played % RING_FRAMES;
      const dryAt = this.played - this.latency;
      const from = dryAt >= 0 ? dryAt % RING_FRAMES : -1;
      this.mix += Math.max(-1 / FADE_FRAMES, Math.min(1 / FADE_FRAMES, this.mixTo - this.mix));
      left[index] = this.wet[0]![at]! * this.mix + (from < 0 ? 0 : this.dry[0]![from]!) * (1 - this.mix);
      right[index] = this.wet[1]![at]! * this.mix + (from < 0 ? 0 : this.dry[1]![from]!) * (1 - this.mix);
      this.played += 1;
    }
    return !this.isOver;
  }
}

registerProcessor("wavemill-live", Live);

export {};
