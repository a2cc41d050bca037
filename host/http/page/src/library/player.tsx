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
}

interface Waveform {
  peaks: number[];
}

const HEIGHT = 132;

export function usePlayer(sides: Side[], duration: number | null): Deck {
  const key = sides.map((it) => it.file).join("\n");
  const deck = useMemo(() => new Deck(sides.map((it) => contentUrl(it.file)), duration), [key]);
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
  duration: number | null;
  history: History | null;
  aside?: preact.ComponentChildren;
}) {
  const { deck, sides } = props;
  const [isEqual, setEqual] = useState(true);
  const [isTesting, setTesting] = useState(false);
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
    else return;
    event.preventDefault();
  };
  return (
    <div onKeyDown={keys}>
      <Panel title={isPair ? "Listen and compare" : "Listen"} class="player" aside={props.aside}>
        <Wave deck={deck} file={sides[isTesting ? 0 : deck.active.value]?.file ?? sides[0]!.file} history={isTesting ? null : props.history} isHidden={isTesting} duration={props.duration} />
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

function Wave({ deck, file, history, isHidden, duration }: { deck: Deck; file: string; history: History | null; isHidden: boolean; duration: number | null }) {
  const [box, width] = useWidth<HTMLDivElement>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const theme = useTheme();
  const points = Math.max(200, Math.min(2400, Math.round(width / 100) * 100));
  const wave = useLoaded(
    (abort) => (width ? maybe<Waveform>(`/v1/files/waveform?file=${encodeURIComponent(file)}&target_length=${points}`, abort) : Promise.resolve(null)),
    `${file} ${width ? points : 0}`,
  );
  // While another waveform is loaded, the last one stays.
  const peaks = useRef<number[] | null>(null);
  if (wave.value?.peaks) peaks.current = wave.value.peaks;
  const shown = peaks.current;
  const total = deck.duration.value || duration || 0;

  useEffect(() => {
    const element = canvas.current;
    if (!element || !width) return;
    return deck.position.subscribe((position) => {
      draw(element, width, isHidden ? null : shown, total ? position / total : 0, history, total);
    });
  }, [deck, width, shown, theme, history, isHidden, total]);

  const seekTo = (event: PointerEvent) => {
    const area = box.current!.getBoundingClientRect();
    deck.seek(((event.clientX - area.left) / area.width) * total);
  };
  const step = (event: KeyboardEvent) => {
    const steps: Record<string, number> = { ArrowLeft: -5, ArrowRight: 5, ArrowDown: -5, ArrowUp: 5, PageDown: -30, PageUp: 30, Home: -1e9, End: 1e9 };
    const by = steps[event.key];
    if (by === undefined) return;
    event.preventDefault();
    deck.seek(Math.min(total, Math.max(0, deck.position.value + by)));
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

function draw(canvas: HTMLCanvasElement, width: number, peaks: number[] | null, share: number, history: History | null, total: number) {
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
  const head = share * width;
  if (peaks?.length) {
    const bar = 2;
    const pitch = 3;
    const bars = Math.floor(width / pitch);
    for (let index = 0; index < bars; index += 1) {
      const from = Math.floor((index * peaks.length) / bars);
      const end = Math.max(from + 1, Math.floor(((index + 1) * peaks.length) / bars));
      let peak = 0;
      for (let at = from; at < end; at += 1) peak = Math.max(peak, Math.abs(peaks[at] ?? 0));
      const half = Math.max(0.75, Math.min(1, peak) * (middle - 6));
      const x = index * pitch;
      to.fillStyle = x < head ? colors.signal : colors.rest;
      to.fillRect(x, middle - half, bar, half * 2);
    }
  }
  if (history && total) {
    to.beginPath();
    to.strokeStyle = colors.held;
    to.lineWidth = 1.5;
    to.lineJoin = "round";
    let isDown = false;
    const stride = Math.max(1, Math.floor(history.at_s.length / width));
    for (let index = 0; index < history.at_s.length; index += stride) {
      const value = history.short_term_lufs[index];
      if (value == null) {
        isDown = false;
        continue;
      }
      const x = (history.at_s[index]! / total) * width;
      const y = (1 - (Math.max(LINE_LUFS[0], value) - LINE_LUFS[0]) / (LINE_LUFS[1] - LINE_LUFS[0])) * HEIGHT;
      if (isDown) to.lineTo(x, y);
      else to.moveTo(x, y);
      isDown = true;
    }
    to.stroke();
  }
  if (share > 0) {
    to.fillStyle = colors.text;
    to.fillRect(Math.min(width - 1.5, head), 0, 1.5, HEIGHT);
  }
}
