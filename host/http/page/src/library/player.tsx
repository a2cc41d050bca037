// The player: waveform with the loudness line, and two files in step at equal loudness.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { contentUrl } from "../api";
import { clock, measure, signed } from "../format";
import { Button, Hint, Panel, colorsOf, useLoaded, useTheme, useWidth } from "../ui";
import { Abx } from "./abx";
import { maybe, type History } from "./analysis";
import { Deck } from "./deck";

export interface Side {
  label: string;
  file: string;
  lufs: number | null;
  /** Seconds. */
  duration: number | null;
}

interface Waveform {
  peaks: number[];
}

const HEIGHT = 132;

/** Times that the waveform is larger than its box. */
const ZOOM_MAX = 64;

/** Points that are asked for, at most. */
const POINTS_MAX = 60_000;

export function usePlayer(sides: Side[]): Deck {
  const key = sides.map((it) => it.file).join("\n");
  const deck = useMemo(() => new Deck(sides.map((it) => contentUrl(it.file)), Math.max(...sides.map((it) => it.duration ?? 0))), [key]);
  useEffect(() => () => deck.close(), [deck]);
  return deck;
}

/** Gains that make both as loud as the quieter one: nothing can clip. */
export function matched(sides: Side[]): number[] | null {
  const known = sides.map((it) => it.lufs);
  if (known.some((it) => it == null)) return null;
  const least = Math.min(...(known as number[]));
  return (known as number[]).map((it) => least - it);
}

export function Player(props: {
  deck: Deck;
  sides: Side[];
  /** Loudness over time of each side. */
  histories: (History | null)[];
  aside?: preact.ComponentChildren;
}) {
  const { deck, sides } = props;
  const [isEqual, setEqual] = useState(true);
  const [isTesting, setTesting] = useState(false);
  const [zoom, setZoom] = useState(1);
  const gains = matched(sides);
  const isPair = sides.length > 1;
  useEffect(() => {
    deck.setGains(isPair && isEqual && gains ? gains : sides.map(() => 0));
  }, [deck, isEqual, gains?.join()]);
  useEffect(() => {
    // The newer one is what is listened to first.
    if (isPair) deck.switchTo(1);
    setTesting(false);
  }, [deck]);
  const keys = (event: KeyboardEvent) => {
    const target = event.target as HTMLElement;
    if (["INPUT", "SELECT", "TEXTAREA"].includes(target.tagName) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === " " && target.tagName !== "BUTTON" && target.tagName !== "A") void deck.toggle();
    else if (isPair && !isTesting && event.key.toLowerCase() === "a") deck.switchTo(0);
    else if (isPair && !isTesting && event.key.toLowerCase() === "b") deck.switchTo(1);
    else if (event.key === "+" || event.key === "=") setZoom(Math.min(ZOOM_MAX, zoom * 2));
    else if (event.key === "-") setZoom(Math.max(1, zoom / 2));
    else return;
    event.preventDefault();
  };
  return (
    <div onKeyDown={keys}>
      <Panel title={isPair ? "Listen and compare" : "Listen"} class="player" aside={props.aside}>
        <Wave deck={deck} side={sides[isTesting ? 0 : deck.active.value] ?? sides[0]!} history={isTesting ? null : (props.histories[deck.active.value] ?? null)} isHidden={isTesting} zoom={zoom} />
        <div class="transport">
          <Transport deck={deck} />
          {isPair && !isTesting && (
            <div class="ab" role="group" aria-label="Which one is heard">
              {sides.map((side, index) => (
                <button key={index} type="button" aria-pressed={deck.active.value === index} onClick={() => deck.switchTo(index)}>
                  <kbd>{index ? "B" : "A"}</kbd> {side.label}
                  <small>{measure(side.lufs)} LUFS{isEqual && gains && gains[index]! < -0.05 ? `, ${signed(gains[index]!)} dB` : ""}</small>
                </button>
              ))}
            </div>
          )}
          {isPair && (
            <div class="row">
              {!isTesting && (
                <label class="check">
                  <input type="checkbox" checked={isEqual && gains != null} disabled={gains == null} onChange={(event) => setEqual(event.currentTarget.checked)} />
                  Equal loudness
                </label>
              )}
              <Button aria-pressed={isTesting} onClick={() => setTesting(!isTesting)}>{isTesting ? "End blind test" : "Blind test (ABX)"}</Button>
            </div>
          )}
          <div class="row zoom" role="group" aria-label="Zoom of the waveform">
            <Button icon="minus" kind="quiet" label="Zoom out" disabled={zoom <= 1} onClick={() => setZoom(zoom / 2)} />
            <Button icon="plus" kind="quiet" label="Zoom in" disabled={zoom >= ZOOM_MAX} onClick={() => setZoom(zoom * 2)} />
          </div>
        </div>
        {isPair && gains == null && <Hint>The loudness of one file is not known, so both play as they are.</Hint>}
        {isTesting && <Abx deck={deck} labels={sides.map((it) => it.label)} isMatched={isEqual && gains != null} />}
        <div role="status">{deck.error.value && <Hint kind="bad">{deck.error.value}</Hint>}</div>
      </Panel>
    </div>
  );
}

function Transport({ deck }: { deck: Deck }) {
  const isPlaying = deck.isPlaying.value;
  return (
    <div class="row">
      <Button kind="main" icon={isPlaying ? "pause" : "play"} class="button main bare play" aria-busy={deck.isLoading.value} label={isPlaying ? "Pause" : "Play"} onClick={() => void deck.toggle()} />
      <Clock deck={deck} />
      {deck.isLoading.value && <span class="faint" role="status">loading</span>}
    </div>
  );
}

function Clock({ deck }: { deck: Deck }) {
  return <span class="clock"><span class="num">{clock(deck.position.value)}</span> <span class="faint">/ {clock(deck.duration.value)}</span></span>;
}

/** The part of the file that is shown, in seconds. */
interface View {
  from: number;
  to: number;
}

function Wave({ deck, side, history, isHidden, zoom }: { deck: Deck; side: Side; history: History | null; isHidden: boolean; zoom: number }) {
  const { file } = side;
  const [box, width] = useWidth<HTMLDivElement>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const theme = useTheme();
  const points = Math.max(200, Math.min(POINTS_MAX, Math.round(width / 100) * 100 * zoom));
  const wave = useLoaded(
    (abort) => (width ? maybe<Waveform>(`/v1/files/waveform?file=${encodeURIComponent(file)}&target_length=${points}`, abort) : Promise.resolve(null)),
    `${file} ${width ? points : 0}`,
  );
  // While another waveform is loaded, the last one stays.
  const peaks = useRef<number[] | null>(null);
  if (wave.value?.peaks) peaks.current = wave.value.peaks;
  const shown = peaks.current;
  const total = deck.duration.value || side.duration || 0;
  const own = side.duration ?? total;
  const view = useRef<View>({ from: 0, to: 0 });

  useEffect(() => {
    const element = canvas.current;
    if (!element || !width) return;
    const span = total / zoom;
    const show = (from: number) => {
      const at = Math.max(0, Math.min(total - span, from));
      view.current = { from: at, to: at + span };
    };
    show(deck.position.peek() - span / 2);
    return deck.position.subscribe((position) => {
      // The view turns like a page when the playhead leaves it.
      if (position < view.current.from || position > view.current.to) show(position - span * 0.05);
      draw(element, width, isHidden ? null : shown, own, position, view.current, history);
    });
  }, [deck, width, shown, theme, history, isHidden, total, own, zoom]);

  const seekTo = (event: PointerEvent) => {
    const area = box.current!.getBoundingClientRect();
    const share = Math.max(0, Math.min(1, (event.clientX - area.left) / area.width));
    deck.seek(view.current.from + share * (view.current.to - view.current.from));
  };
  const step = (event: KeyboardEvent) => {
    const steps: Record<string, number> = { ArrowLeft: -5, ArrowRight: 5, ArrowDown: -5, ArrowUp: 5, PageDown: -30, PageUp: 30, Home: -1e9, End: 1e9 };
    const by = steps[event.key];
    if (by === undefined) return;
    event.preventDefault();
    deck.seek(Math.min(total, Math.max(0, deck.position.value + (Math.abs(by) < 1e9 ? by / zoom : by))));
  };
  return (
    <div
      ref={box}
      class="wave"
      role="slider"
      tabIndex={0}
      aria-label="Position"
      aria-valuemin={0}
      aria-valuemax={Math.round(total)}
      aria-valuenow={Math.round(deck.position.value)}
      aria-valuetext={`${clock(deck.position.value)} of ${clock(total)}`}
      onKeyDown={step}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        seekTo(event);
      }}
      onPointerMove={(event) => {
        if (event.currentTarget.hasPointerCapture(event.pointerId)) seekTo(event);
      }}
    >
      <canvas ref={canvas} width={1} height={1} aria-hidden="true" />
      {history && !isHidden && <span class="wave-key" aria-hidden="true"><i /> short-term loudness</span>}
      {wave.error !== undefined && <span class="wave-note">The waveform cannot be drawn</span>}
    </div>
  );
}

/** Loudness that is at the bottom and at the top of the waveform. */
const LINE_LUFS = [-50, 0] as const;

function draw(canvas: HTMLCanvasElement, width: number, peaks: number[] | null, own: number, position: number, view: View, history: History | null) {
  const scale = devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(HEIGHT * scale)) {
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(HEIGHT * scale);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${HEIGHT}px`;
  }
  const colors = colorsOf(canvas);
  const to = canvas.getContext("2d")!;
  to.setTransform(scale, 0, 0, scale, 0, 0);
  to.clearRect(0, 0, width, HEIGHT);
  const middle = HEIGHT / 2;
  to.fillStyle = colors.grid;
  to.fillRect(0, middle - 0.5, width, 1);
  const span = view.to - view.from;
  if (!span) return;
  const x = (seconds: number) => ((seconds - view.from) / span) * width;
  const head = x(position);
  if (peaks?.length && own) {
    const [bar, pitch] = [2, 3];
    const first = (view.from / own) * peaks.length;
    const each = ((span / own) * peaks.length * pitch) / width;
    for (let index = 0; index * pitch < width; index += 1) {
      const from = Math.floor(first + index * each);
      if (from >= peaks.length) break;
      const end = Math.max(from + 1, Math.floor(first + (index + 1) * each));
      let peak = 0;
      for (let at = from; at < end; at += 1) peak = Math.max(peak, Math.abs(peaks[at] ?? 0));
      const half = Math.max(0.75, Math.min(1, peak) * (middle - 6));
      const left = index * pitch;
      to.fillStyle = left < head ? colors.signal : colors.rest;
      to.fillRect(left, middle - half, bar, half * 2);
    }
  }
  if (history) {
    to.beginPath();
    to.strokeStyle = colors.held;
    to.lineWidth = 1.5;
    to.lineJoin = "round";
    let isDown = false;
    const stride = Math.max(1, Math.floor((span * 10) / width));
    for (let index = 0; index < history.at_s.length; index += stride) {
      const value = history.short_term_lufs[index];
      const at = history.at_s[index]!;
      if (value == null || at < view.from - 1 || at > view.to + 1) {
        isDown = false;
        continue;
      }
      const y = (1 - (Math.max(LINE_LUFS[0], value) - LINE_LUFS[0]) / (LINE_LUFS[1] - LINE_LUFS[0])) * HEIGHT;
      if (isDown) to.lineTo(x(at), y);
      else to.moveTo(x(at), y);
      isDown = true;
    }
    to.stroke();
  }
  if (position > 0) {
    to.fillStyle = colors.text;
    to.fillRect(Math.max(0, Math.min(width - 1.5, head)), 0, 1.5, HEIGHT);
  }
}
