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
  input?: { format: string; codec: string; duration_s: number; sample_rate_hz: number; channels: number; bit_depth: number | null; size_bytes: number };
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
  const query = `?file=${encodeURIComponent(file)}`;
  const [analysis, history] = await Promise.all([
    maybe<Analysis>(`/v1/files/analysis${query}`, abort),
    maybe<History>(`/v1/files/loudness${query}`, abort),
  ]);
  return { analysis, history };
}

/** Levels of bands in dB of their sum: so that loudness does not matter. */
export function relativeBands(bands: Band[]): Map<string, number> {
  const known = bands.filter((band) => band.level_dbfs != null);
  const sum = 10 * Math.log10(known.reduce((total, band) => total + 10 ** (band.level_dbfs! / 10), 0));
  return new Map(known.map((band) => [band.name, band.level_dbfs! - sum]));
}
