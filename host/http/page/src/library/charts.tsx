// Charts: loudness over time, bands against a target, and the spectrum of what plays.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import profiles from "../../../../../pipelines/profiles/profiles.toml";
import { get } from "../api";
import { clock, fixed, signed } from "../format";
import { Select, colorsOf, useLoaded, useTheme, useWidth } from "../ui";
import { relativeBands, type Band, type History } from "./analysis";
import type { Deck } from "./deck";

const LOUDNESS_HEIGHT = 220;

/** A line of the chart's legend, drawn as it is in the chart. */
export function Legend({ items }: { items: { kind: string; label: string }[] }) {
  return <p class="legend">{items.map((it) => <span key={it.label} class={`key ${it.kind}`}>{it.label}</span>)}</p>;
}

export function LoudnessChart(props: { deck: Deck; history: History; other: History | null; otherLabel: string; target: number | null; integrated: number | null }) {
  const { deck, history, other, target, integrated } = props;
  const [box, width] = useWidth<HTMLDivElement>();
  const theme = useTheme();
  useEffect(() => {
    if (!width) return;
    const host = box.current!;
    const colors = colorsOf(host);
    const otherAt = other ? history.at_s.map((_, index) => other.short_term_lufs[index] ?? null) : history.at_s.map(() => null);
    const values = [...history.short_term_lufs, ...otherAt].filter((it): it is number => it != null);
    const low = Math.max(-60, Math.floor((Math.min(...values, target ?? 0, integrated ?? 0) - 3) / 6) * 6);
    const high = Math.min(6, Math.ceil((Math.max(...values, target ?? -60) + 4) / 6) * 6);
    const axis: uPlot.Axis = {
      stroke: colors.faint,
      font: "11px Roboto, system-ui, sans-serif",
      grid: { stroke: colors.grid, width: 1 },
      ticks: { show: false },
    };
    const level = (plot: uPlot, value: number, color: string, dash: number[]) => {
      const y = Math.round(plot.valToPos(value, "y", true)) + 0.5;
      const { ctx, bbox } = plot;
      ctx.save();
      ctx.strokeStyle = color;
      ctx.lineWidth = 1.5 * devicePixelRatio;
      ctx.setLineDash(dash.map((it) => it * devicePixelRatio));
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
      ctx.restore();
    };
    const plot = new uPlot(
      {
        width,
        height: LOUDNESS_HEIGHT,
        legend: { show: false },
        cursor: { drag: { x: true, y: false }, points: { show: false } },
        scales: { x: { time: false, range: (_, from, to) => [from < 1 ? 0 : from, to] }, y: { range: [low, high] } },
        axes: [
          { ...axis, size: 28, space: 70, incrs: [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200], values: (_, ticks) => ticks.map((it) => clock(it)) },
          { ...axis, size: 38, space: 26, values: (_, ticks) => ticks.map((it) => fixed(it, 0)) },
        ],
        series: [
          {},
          { stroke: colors.faint, width: 0.75, points: { show: false } },
          { stroke: colors.signal, width: 2, fill: `color-mix(in srgb, ${colors.signal} 16%, transparent)`, fillTo: low, points: { show: false } },
          { stroke: colors.held, width: 1.5, points: { show: false } },
        ],
        hooks: {
          draw: [
            (it) => {
              if (integrated != null) level(it, integrated, colors.text, [5, 4]);
              if (target != null) level(it, target, colors.target, []);
            },
          ],
        },
      },
      [history.at_s, history.momentary_lufs, history.short_term_lufs, otherAt] as uPlot.AlignedData,
      host,
    );
    const head = document.createElement("i");
    head.className = "chart-head";
    plot.over.append(head);
    const end = deck.position.subscribe((position) => {
      head.hidden = position <= 0;
      head.style.transform = `translateX(${plot.valToPos(position, "x")}px)`;
    });
    const click = (event: MouseEvent) => {
      if (plot.select.width < 2) deck.seek(plot.posToVal(event.offsetX, "x"));
    };
    plot.over.addEventListener("click", click);
    return () => {
      end();
      plot.destroy();
    };
  }, [width, theme, history, other, target, integrated, deck]);
  return (
    <>
      <div ref={box} class="loudness-chart" role="img" aria-label={`Loudness over time${integrated != null ? `, integrated ${fixed(integrated, 1)} LUFS` : ""}`} />
      <Legend
        items={[
          { kind: "signal-line", label: "short-term" },
          { kind: "faint-line", label: "momentary" },
          { kind: "dashed", label: "integrated" },
          ...(other ? [{ kind: "held-line", label: `short-term, ${props.otherLabel}` }] : []),
          ...(target != null ? [{ kind: "target-line", label: "target" }] : []),
        ]}
      />
    </>
  );
}

interface ReferenceList {
  references: { name: string }[];
}

const BAND_NAMES: Record<string, string> = { low: "Low", low_mid: "Low mid", mid: "Mid", high_mid: "High mid", high: "High" };
const BANDS_HEIGHT = 190;
const [LOW_HZ, HIGH_HZ, TOP_DB, SPAN_DB] = [20, 20_000, 0, 36];

export function BandsChart({ bands, other, otherLabel }: { bands: Band[]; other: Band[] | null; otherLabel: string }) {
  const [against, setAgainst] = useState(localStorage.getItem("bands-target") ?? "");
  const references = useLoaded(() => get<ReferenceList>("/v1/references?limit=200"), "").value?.references ?? [];
  const reference = against.startsWith("ref:") ? against.slice(4) : "";
  const measures = useLoaded(
    () => (reference ? get<{ measures?: { bands?: Band[] } }>(`/v1/references/${encodeURIComponent(reference)}`) : Promise.resolve(null)),
    reference,
  ).value?.measures;
  const profile = profiles.find((it) => it.id === against);
  const levels = useMemo(() => relativeBands(bands), [bands]);
  const before = useMemo(() => (other ? relativeBands(other) : null), [other]);
  const wanted = useMemo(() => (measures?.bands ? relativeBands(measures.bands) : null), [measures]);
  const x = (hz: number) => (Math.log(Math.max(LOW_HZ, Math.min(HIGH_HZ, hz)) / LOW_HZ) / Math.log(HIGH_HZ / LOW_HZ)) * 1000;
  const y = (db: number) => Math.min(BANDS_HEIGHT, Math.max(0, ((TOP_DB - db) / SPAN_DB) * BANDS_HEIGHT));
  const rangeOf = (name: string): { min: number; max: number } | null => {
    const range = profile?.bands[name];
    if (range) return { min: range.min ?? -SPAN_DB, max: range.max ?? 0 };
    const value = wanted?.get(name);
    return value == null ? null : { min: value - 0.4, max: value + 0.4 };
  };
  const verdict = (name: string) => {
    const [level, range] = [levels.get(name), rangeOf(name)];
    if (level == null || !range) return null;
    const off = profile ? (level < range.min ? level - range.min : level > range.max ? level - range.max : 0) : level - (wanted!.get(name) ?? level);
    return off;
  };
  const hasTarget = Boolean(profile || wanted);
  return (
    <>
      <div class="bands-head">
        <Select
          label="Target"
          value={against}
          onChange={(value) => {
            setAgainst(value);
            localStorage.setItem("bands-target", value);
          }}
          options={[
            { value: "", label: "none" },
            ...references.map((it) => ({ value: `ref:${it.name}`, label: `Reference: ${it.name}` })),
            ...profiles.map((it) => ({ value: it.id, label: it.name })),
          ]}
        />
      </div>
      <div class="bands">
        <svg viewBox={`0 0 1000 ${BANDS_HEIGHT}`} preserveAspectRatio="none" role="img" aria-label="Levels of five bands; the numbers are in the table below">
          {[-12, -24].map((db) => <path key={db} class="line" d={`M0 ${y(db)}H1000`} />)}
          {[100, 1000, 10000].map((hz) => <path key={hz} class="line" d={`M${x(hz)} 0V${BANDS_HEIGHT}`} />)}
          {bands.map((band) => {
            const [left, right, level] = [x(band.low_hz), x(band.high_hz), levels.get(band.name)];
            if (level == null) return null;
            const range = rangeOf(band.name);
            const was = before?.get(band.name);
            return (
              <g key={band.name}>
                <rect class="block" x={left + 2} width={right - left - 4} y={y(level)} height={BANDS_HEIGHT - y(level)} />
                <path class="block-top" d={`M${left + 2} ${y(level)}H${right - 2}`} />
                {was != null && <path class="outline" d={`M${left + 2} ${BANDS_HEIGHT}V${y(was)}H${right - 2}V${BANDS_HEIGHT}`} />}
                {range && <rect class="wanted" x={left + 2} width={right - left - 4} y={y(range.max)} height={Math.max(2, y(range.min) - y(range.max))} />}
              </g>
            );
          })}
        </svg>
      </div>
      <table class="band-table">
        <caption class="sr">Level of each band, dB of the sum of all</caption>
        <thead class="sr"><tr><th scope="col">Band</th><th scope="col">Level</th>{before && <th scope="col">{otherLabel}</th>}{hasTarget && <th scope="col">From the target</th>}</tr></thead>
        <tbody>
          {bands.map((band) => {
            const [level, was, off] = [levels.get(band.name), before?.get(band.name), verdict(band.name)];
            return (
              <tr key={band.name}>
                <th scope="row">{BAND_NAMES[band.name] ?? band.name}</th>
                <td class="num">{level == null ? "\u2013" : fixed(level, 1)}</td>
                {before && <td class="num faint">{was == null ? "\u2013" : fixed(was, 1)}</td>}
                {hasTarget && <td class="num">{off == null ? "\u2013" : Math.abs(off) < 0.05 ? <span class="good">in range</span> : <span class={Math.abs(off) > 3 ? "bad" : ""}>{signed(off)}</span>}</td>}
              </tr>
            );
          })}
        </tbody>
      </table>
      <Legend
        items={[
          { kind: "signal-box", label: "level, dB of the sum" },
          ...(before ? [{ kind: "outline-box", label: otherLabel }] : []),
          ...(hasTarget ? [{ kind: "target-box", label: "target" }] : []),
        ]}
      />
    </>
  );
}

const SPECTRUM_HEIGHT = 220;
const [SPECTRUM_LOW_DB, SPECTRUM_HIGH_DB] = [-96, -12];

/** The spectrum of what plays, with a slope of 4.5 dB an octave as in the plugin, and the peaks that were held. */
export function SpectrumView({ deck }: { deck: Deck }) {
  const [box, width] = useWidth<HTMLDivElement>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const theme = useTheme();
  const held = useRef<Float32Array | null>(null);
  const isPlaying = deck.isPlaying.value;
  useEffect(() => {
    held.current = null;
  }, [deck]);
  useEffect(() => {
    const element = canvas.current;
    if (!element || !width) return;
    const scale = devicePixelRatio || 1;
    element.width = Math.round(width * scale);
    element.height = Math.round(SPECTRUM_HEIGHT * scale);
    element.style.width = `${width}px`;
    element.style.height = `${SPECTRUM_HEIGHT}px`;
    const colors = colorsOf(element);
    const to = element.getContext("2d")!;
    to.scale(scale, scale);
    const x = (hz: number) => (Math.log(hz / LOW_HZ) / Math.log(HIGH_HZ / LOW_HZ)) * width;
    const y = (db: number) => ((SPECTRUM_HIGH_DB - db) / (SPECTRUM_HIGH_DB - SPECTRUM_LOW_DB)) * SPECTRUM_HEIGHT;
    const data = new Float32Array(deck.analyser?.frequencyBinCount ?? 4096);
    const grid = () => {
      to.clearRect(0, 0, width, SPECTRUM_HEIGHT);
      to.fillStyle = colors.grid;
      to.font = "11px Roboto, system-ui, sans-serif";
      for (const hz of [50, 100, 200, 500, 1000, 2000, 5000, 10000]) to.fillRect(Math.round(x(hz)), 0, 1, SPECTRUM_HEIGHT - 16);
      for (let db = -24; db > SPECTRUM_LOW_DB; db -= 12) to.fillRect(0, Math.round(y(db)), width, 1);
      to.fillStyle = colors.faint;
      to.textAlign = "center";
      for (const [hz, label] of [[50, "50"], [100, "100"], [200, "200"], [500, "500"], [1000, "1k"], [2000, "2k"], [5000, "5k"], [10000, "10k"]] as const) to.fillText(label, x(hz), SPECTRUM_HEIGHT - 3);
    };
    let frame = 0;
    const line = (values: Float32Array, rate: number, fill: boolean) => {
      const bin = rate / 2 / values.length;
      to.beginPath();
      let isFirst = true;
      let lastX = -1;
      let best = -200;
      for (let index = 1; index < values.length; index += 1) {
        const hz = index * bin;
        if (hz < LOW_HZ || hz > HIGH_HZ) continue;
        best = Math.max(best, values[index]! + 4.5 * Math.log2(hz / 1000));
        const at = x(hz);
        if (at - lastX < 1 && !isFirst) continue;
        const level = Math.min(SPECTRUM_HEIGHT, y(best));
        if (isFirst) to.moveTo(0, level);
        to.lineTo(at, level);
        isFirst = false;
        lastX = at;
        best = -200;
      }
      if (fill) {
        to.strokeStyle = colors.signal;
        to.lineWidth = 1.75;
        to.stroke();
        to.lineTo(width, SPECTRUM_HEIGHT);
        to.lineTo(0, SPECTRUM_HEIGHT);
        to.globalAlpha = 0.18;
        to.fillStyle = colors.signal;
        to.fill();
        to.globalAlpha = 1;
      } else {
        to.strokeStyle = colors.held;
        to.lineWidth = 1;
        to.stroke();
      }
    };
    const paint = () => {
      grid();
      const analyser = deck.analyser;
      if (!analyser) return;
      analyser.getFloatFrequencyData(data);
      held.current ??= new Float32Array(data.length).fill(-200);
      const peaks = held.current;
      for (let index = 0; index < data.length; index += 1) peaks[index] = Math.max(peaks[index]! - 0.02, data[index]!);
      line(peaks, analyser.context.sampleRate, false);
      line(data, analyser.context.sampleRate, true);
      if (isPlaying) frame = requestAnimationFrame(paint);
    };
    paint();
    return () => cancelAnimationFrame(frame);
  }, [deck, width, theme, isPlaying]);
  return (
    <div ref={box} class="spectrum" role="img" aria-label="Spectrum of what plays">
      <canvas ref={canvas} width={1} height={1} />
      {!isPlaying && !deck.analyser && <span class="wave-note">Shows what plays</span>}
    </div>
  );
}
