// Plays one file, or two in step that can be switched without a click. Two files are decoded to samples, so that both are
// exactly in time; very long ones are streamed and kept together as well as a browser can.

import { signal } from "@preact/signals";

/** Longer files are not decoded into memory: ten minutes of stereo at 48 kHz take 230 MB, and some seconds. */
const DECODED_S_MAX = 10 * 60;

/** Length of the fade between two files: too short to hear as one, long enough for no click. */
const FADE_S = 0.012;

/** Streams that are further apart are set right. */
const APART_S = 0.03;

let context: AudioContext | null = null;
let last: Deck | null = null;

export function audioContext(): AudioContext {
  context ??= new AudioContext({ latencyHint: "interactive" });
  if (context.state === "suspended") void context.resume();
  return context;
}

interface Track {
  url: string;
  element: HTMLAudioElement | null;
  buffer: AudioBuffer | null;
  source: AudioBufferSourceNode | null;
  gain: GainNode | null;
  gainDb: number;
}

export class Deck {
  readonly isPlaying = signal(false);
  readonly position = signal(0);
  readonly duration = signal(0);
  readonly active = signal(0);
  readonly isLoading = signal(false);
  readonly error = signal<string | null>(null);
  analyser: AnalyserNode | null = null;

  private readonly tracks: Track[];
  private isDecoded = false;
  private isPrepared = false;
  /** Time of the context at which the position was zero; for decoded tracks. */
  private zero = 0;
  private frame = 0;
  private isClosed = false;

  constructor(urls: string[], durationS: number) {
    this.tracks = urls.map((url) => ({ url, element: null, buffer: null, source: null, gain: null, gainDb: 0 }));
    this.duration.value = durationS;
  }

  /** Sets the gains of the tracks in dB. */
  setGains(gainsDb: number[]) {
    gainsDb.forEach((gainDb, index) => {
      const track = this.tracks[index];
      if (track) track.gainDb = gainDb;
    });
    this.fade();
  }

  switchTo(index: number) {
    this.active.value = index;
    this.fade();
  }

  async toggle() {
    if (this.isPlaying.value) this.pause();
    else await this.play();
  }

  async play() {
    if (last && last !== this) last.pause();
    last = this;
    this.error.value = null;
    try {
      audioContext();
      await this.prepare();
      if (this.isClosed) return;
      const end = this.duration.value;
      if (end && this.position.value >= end - 0.02) this.position.value = 0;
      if (this.isDecoded) this.startSources();
      else {
        for (const track of this.tracks) track.element!.currentTime = this.position.value;
        await Promise.all(this.tracks.map((track) => track.element!.play()));
      }
      this.isPlaying.value = true;
      this.tick();
    } catch (error) {
      this.isPlaying.value = false;
      this.error.value = error instanceof DOMException && ["EncodingError", "NotSupportedError"].includes(error.name)
        ? "This browser cannot play this format. Download the file, or listen to another of its outputs."
        : "The file cannot be played: it is not there, or not given out.";
    }
  }

  pause() {
    if (this.isDecoded) {
      if (this.isPlaying.value) this.position.value = this.now();
      this.stopSources();
    } else for (const track of this.tracks) track.element?.pause();
    this.isPlaying.value = false;
    cancelAnimationFrame(this.frame);
  }

  seek(seconds: number) {
    const to = Math.max(0, Math.min(seconds, this.duration.value || seconds));
    this.position.value = to;
    if (!this.isPlaying.value) {
      for (const track of this.tracks) if (track.element) track.element.currentTime = to;
    } else if (this.isDecoded) {
      this.stopSources();
      this.startSources();
    } else for (const track of this.tracks) track.element!.currentTime = to;
  }

  close() {
    this.isClosed = true;
    this.pause();
    for (const track of this.tracks) {
      track.gain?.disconnect();
      if (track.element) {
        track.element.removeAttribute("src");
        track.element.load();
      }
      track.buffer = null;
    }
    this.analyser?.disconnect();
    if (last === this) last = null;
  }

  private async prepare() {
    if (this.isPrepared) return;
    const to = audioContext();
    this.isLoading.value = true;
    try {
      this.analyser = new AnalyserNode(to, { fftSize: 8192, smoothingTimeConstant: 0.6, minDecibels: -110, maxDecibels: 0 });
      this.analyser.connect(to.destination);
      this.isDecoded = this.tracks.length > 1 && this.duration.value > 0 && this.duration.value <= DECODED_S_MAX;
      for (const track of this.tracks) {
        track.gain = new GainNode(to, { gain: 0 });
        track.gain.connect(this.analyser);
      }
      if (this.isDecoded) await Promise.all(this.tracks.map((track) => this.decode(to, track)));
      else for (const track of this.tracks) this.open(to, track);
      this.isPrepared = true;
      this.fade(true);
    } finally {
      this.isLoading.value = false;
    }
  }

  private async decode(to: AudioContext, track: Track) {
    const response = await fetch(track.url);
    if (!response.ok) throw new Error(`status ${response.status}`);
    track.buffer = await to.decodeAudioData(await response.arrayBuffer());
    this.duration.value = Math.max(this.duration.value, track.buffer.duration);
  }

  private open(to: AudioContext, track: Track) {
    const element = new Audio(track.url);
    element.preload = "auto";
    element.onloadedmetadata = () => {
      if (Number.isFinite(element.duration)) this.duration.value = Math.max(this.duration.value, element.duration);
    };
    element.onended = () => this.end();
    to.createMediaElementSource(element).connect(track.gain!);
    track.element = element;
  }

  private startSources() {
    const to = audioContext();
    const at = to.currentTime + 0.01;
    for (const track of this.tracks) {
      track.source = new AudioBufferSourceNode(to, { buffer: track.buffer });
      track.source.connect(track.gain!);
      track.source.start(at, Math.min(this.position.value, track.buffer!.duration));
    }
    this.zero = at - this.position.value;
  }

  private stopSources() {
    for (const track of this.tracks) {
      track.source?.stop();
      track.source?.disconnect();
      track.source = null;
    }
  }

  private now(): number {
    if (this.isDecoded) return Math.max(0, audioContext().currentTime - this.zero);
    return this.tracks[this.active.value]!.element?.currentTime ?? 0;
  }

  private end() {
    this.pause();
    this.position.value = 0;
  }

  private tick = () => {
    if (!this.isPlaying.value) return;
    const now = this.now();
    this.position.value = now;
    if (this.isDecoded && now >= this.duration.value) return this.end();
    if (!this.isDecoded) this.align(now);
    this.frame = requestAnimationFrame(this.tick);
  };

  private align(now: number) {
    this.tracks.forEach((track, index) => {
      const isApart = index !== this.active.value && Math.abs(track.element!.currentTime - now) > APART_S;
      if (isApart && !track.element!.seeking) track.element!.currentTime = now;
    });
  }

  private fade(isAtOnce = false) {
    if (!context) return;
    const at = context.currentTime;
    this.tracks.forEach((track, index) => {
      if (!track.gain) return;
      const to = index === this.active.value ? 10 ** (track.gainDb / 20) : 0;
      const { gain } = track.gain;
      gain.cancelScheduledValues(at);
      if (isAtOnce) gain.setValueAtTime(to, at);
      else {
        gain.setValueAtTime(gain.value, at);
        gain.linearRampToValueAtTime(to, at + FADE_S);
      }
    });
  }
}
