// A live chain: the microphone or a file goes through the program and is heard at once.

import { signal } from "@preact/signals";

const RATE = 48_000;

/** Bytes that wait to be sent; more means that the connection is too slow to play. */
const WAITING_BYTES_MAX = 1 << 20;

export interface Link {
  effect?: string;
  step?: string;
  with: Record<string, number | string | boolean>;
}

export interface Meters {
  momentary_lufs: number | null;
  short_term_lufs: number | null;
  integrated_lufs: number | null;
  true_peak_dbtp: number | null;
}

export type Source = { kind: "microphone" } | { kind: "file"; name: string; load: () => Promise<ArrayBuffer> };

export const state = signal<"off" | "starting" | "on">("off");
export const meters = signal<Meters | null>(null);
export const latencyFrames = signal(0);
export const gaps = signal(0);
export const problem = signal<string | null>(null);
export const isBypassed = signal(false);

let context: AudioContext | null = null;
let node: AudioWorkletNode | null = null;
let socket: WebSocket | null = null;
let stopInput: (() => void) | null = null;
let runs = 0;

export function setBypass(isOn: boolean) {
  isBypassed.value = isOn;
  node?.port.postMessage({ bypass: isOn });
}

export function set(index: number, key: string, value: number | string | boolean) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ type: "set", index, key, value }));
}

export async function begin(source: Source, chain: Link[]) {
  end();
  const run = ++runs;
  state.value = "starting";
  problem.value = null;
  gaps.value = 0;
  try {
    context = new AudioContext({ sampleRate: RATE, latencyHint: "interactive" });
    await context.audioWorklet.addModule("/live.js");
    const input = await open(source, context);
    if (run !== runs) return input.stop();
    node = new AudioWorkletNode(context, "wavemill-live", { numberOfInputs: 1, numberOfOutputs: 1, outputChannelCount: [2] });
    input.node.connect(node).connect(context.destination);
    stopInput = input.stop;
    node.port.onmessage = ({ data }) => {
      if (data === "gap") gaps.value += 1;
      else if (socket?.readyState === WebSocket.OPEN && isReady) {
        if (socket.bufferedAmount > WAITING_BYTES_MAX) fail("The connection is too slow to play live");
        else socket.send(data.buffer);
      }
    };
    await connect(chain);
    if (run !== runs) return;
    input.start();
    setBypass(isBypassed.value);
    state.value = "on";
  } catch (error) {
    if (run === runs) fail(words(error));
  }
}

let isReady = false;

/** Opens a stream for a chain; another one ends. */
function connect(chain: Link[]): Promise<void> {
  const old = socket;
  if (old) {
    old.onclose = old.onmessage = null;
    old.close();
  }
  isReady = false;
  return new Promise((resolve, reject) => {
    const own = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/audio/stream`);
    socket = own;
    own.binaryType = "arraybuffer";
    own.onopen = () => own.send(JSON.stringify({ sample_rate: RATE, channels: 2, format: "f32", chain }));
    own.onmessage = ({ data }) => {
      if (data instanceof ArrayBuffer) {
        const samples = new Float32Array(data);
        node?.port.postMessage(samples, [samples.buffer]);
        return;
      }
      const message = JSON.parse(data);
      if (message.type === "ready") {
        latencyFrames.value = message.latency_frames ?? 0;
        node?.port.postMessage({ latency: latencyFrames.value });
        isReady = true;
        resolve();
      } else if (message.type === "meters") meters.value = message;
      else if (message.type === "error" || message.detail) {
        const text = message.detail ?? message.message ?? "the chain was refused";
        if (isReady) fail(text);
        else reject(new Error(text));
      }
    };
    own.onclose = ({ reason }) => {
      const text = reason || (isReady ? "The live stream has ended" : "This version of the program offers no live stream, or refused it");
      if (isReady) fail(text);
      else reject(new Error(text));
    };
  });
}

/** Another chain while it plays: a short gap is heard. */
export async function rebuild(chain: Link[]) {
  if (state.value !== "on") return;
  try {
    await connect(chain);
  } catch (error) {
    fail(words(error));
  }
}

function fail(text: string) {
  end();
  problem.value = text;
}

export function end() {
  runs += 1;
  if (socket) {
    socket.onclose = socket.onmessage = null;
    socket.close();
  }
  stopInput?.();
  node?.port.postMessage("end");
  node?.disconnect();
  void context?.close();
  socket = null;
  node = null;
  context = null;
  stopInput = null;
  isReady = false;
  meters.value = null;
  state.value = "off";
}

interface Input {
  node: AudioNode;
  start: () => void;
  stop: () => void;
}

async function open(source: Source, to: AudioContext): Promise<Input> {
  if (source.kind === "microphone") {
    if (!navigator.mediaDevices) throw new Error("Browsers give the microphone only to pages of https or of this machine");
    const stream = await navigator.mediaDevices.getUserMedia({
      audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
    });
    const input = to.createMediaStreamSource(stream);
    const stop = () => {
      input.disconnect();
      for (const track of stream.getTracks()) track.stop();
    };
    return { node: input, start: () => {}, stop };
  }
  const buffer = await to.decodeAudioData(await source.load());
  const input = new AudioBufferSourceNode(to, { buffer, loop: true });
  return {
    node: input,
    start: () => input.start(),
    stop: () => {
      try {
        input.stop();
      } catch {
        // It was not started.
      }
      input.disconnect();
    },
  };
}

function words(error: unknown): string {
  if (error instanceof DOMException) {
    if (error.name === "NotAllowedError") return "The browser did not allow the microphone";
    if (error.name === "NotFoundError") return "There is no microphone";
    if (error.name === "EncodingError") return "This browser cannot decode this file";
  }
  return error instanceof Error ? error.message : String(error);
}
