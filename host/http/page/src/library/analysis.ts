// What was measured of a file, in the shapes in which the program gives it.

import { Problem, get } from "../api";

export interface Loudness {
  integrated_lufs: number | null;
  loudness_range_lu: number | null;
  momentary_max_lufs: number | null;
  short_term_max_lufs: number | null;
  true_peak_dbtp: number | null;
  sample_peak_dbfs: number | null;
  peak_to_loudness_lu: number | null;
  peak_to_short_term_lu: number | null;
}

export interface Band {
  name: string;
  low_hz: number;
  high_hz: number;
  level_dbfs: number | null;
  width?: number | null;
  correlation?: number | null;
  crest_factor_db?: number | null;
}

export interface Analysis {
  file?: { format: string; codec: string; duration_s: number; sample_rate_hz: number; channels: number; bit_depth: number | null; size_bytes: number };
  tags?: Record<string, unknown>;
  loudness?: Loudness;
  level?: Record<string, number | null>;
  spectrum?: Record<string, number | null>;
  stereo?: { width: number | null; correlation: number | null; balance_db: number | null };
  bands?: Band[];
  rhythm?: { tempo_bpm: number | null; confidence: number | null };
  tonality?: { key: string | null; camelot: string | null; confidence: number | null };
}

/** Loudness over time. */
export interface History {
  at_s: number[];
  momentary_lufs: (number | null)[];
  short_term_lufs: (number | null)[];
}

export interface Report {
  input?: { path: string; duration_s: number | null };
  loudness?: Loudness;
  bands?: Band[];
  stereo?: Analysis["stereo"];
  outputs?: { path: string; loudness?: Loudness; bands?: Band[] }[];
  steps?: { use?: string; effect?: string; findings?: Record<string, unknown> }[];
  warnings?: unknown[];
}

/** Asks for what may not exist: null then. */
export async function maybe<T>(path: string, abort?: AbortSignal): Promise<T | null> {
  try {
    return await get<T>(path, abort);
  } catch (error) {
    if (error instanceof Problem && (error.isUnknownPath || error.status === 422)) return null;
    throw error;
  }
}

export interface Measured {
  analysis: Analysis | null;
  history: History | null;
}

export async function measured(file: string, abort?: AbortSignal): Promise<Measured> {
  const answer = await maybe<{ files?: Analysis[] } & Analysis>(`/v1/files/analysis?file=${encodeURIComponent(file)}`, abort);
  if (!answer) return { analysis: null, history: null };
  const analysis = answer.files?.[0] ?? answer;
  return { analysis, history: historyOf(analysis) };
}

/** Finds loudness over time: a list of points, or lists of values. */
function historyOf(value: unknown, depth = 0): History | null {
  if (!value || typeof value !== "object" || depth > 4) return null;
  if (Array.isArray(value)) {
    const first = value[0] as Record<string, unknown> | undefined;
    if (!first || typeof first !== "object" || !("short_term_lufs" in first) || !("at_s" in first)) return null;
    const points = value as { at_s: number; momentary_lufs: number | null; short_term_lufs: number | null }[];
    return {
      at_s: points.map((it) => it.at_s),
      momentary_lufs: points.map((it) => it.momentary_lufs),
      short_term_lufs: points.map((it) => it.short_term_lufs),
    };
  }
  const table = value as Record<string, unknown>;
  if (Array.isArray(table.at_s) && Array.isArray(table.short_term_lufs)) {
    const lists = table as unknown as History;
    return { at_s: lists.at_s, momentary_lufs: lists.momentary_lufs ?? lists.at_s.map(() => null), short_term_lufs: lists.short_term_lufs };
  }
  for (const inner of Object.values(table)) {
    const found = historyOf(inner, depth + 1);
    if (found) return found;
  }
  return null;
}

/** Levels of bands in dB of their sum: so that loudness does not matter. */
export function relativeBands(bands: Band[]): Map<string, number> {
  const known = bands.filter((band) => band.level_dbfs != null);
  const sum = 10 * Math.log10(known.reduce((total, band) => total + 10 ** (band.level_dbfs! / 10), 0));
  return new Map(known.map((band) => [band.name, band.level_dbfs! - sum]));
}
