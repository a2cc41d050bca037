// Requests to the program, and what it answers.

import { signal } from "@preact/signals";

/** Whether the program lets this browser in: unknown until it has answered once. */
export const access = signal<"unknown" | "granted" | "denied">("unknown");

/** What the program says about a request that it refuses. */
export class Problem extends Error {
  constructor(readonly status: number, readonly detail: string) {
    super(detail);
  }

  /** Whether this version of the program does not know the path. */
  get isUnknownPath(): boolean {
    return this.status === 404 || this.status === 405 || this.status === 501;
  }
}

export interface Output {
  path: string;
  kind: string;
  size_bytes: number | null;
  is_published: boolean;
  skipped: string | null;
}

export interface Job {
  id: string;
  pipeline: string;
  input: string;
  state: JobState;
  attempt: number;
  created: string;
  started: string | null;
  finished: string | null;
  retry_at: string | null;
  reason: string | null;
  waits: string | null;
  progress: number | null;
  outputs: Output[];
  source_moved_to: string | null;
  retry_of: string | null;
  batch: string | null;
}

export type JobState =
  | "ready" | "running" | "prepared" | "published" | "retry"
  | "done" | "rejected" | "failed" | "skipped" | "canceled";

export interface Watch {
  pipeline: string;
  path: string;
  state: "starting" | "online" | "offline";
  reason: string | null;
  files: number;
  last_scan: string | null;
  incomplete: Record<string, string>;
  refused?: Record<string, { reason: string; refusal: string }>;
}

export interface Status {
  version: string;
  uptime_s: number;
  is_draining: boolean;
  jobs: Record<JobState, number>;
  paused: { all: boolean; pipelines: string[] } | null;
  shortages: Record<string, string>;
  unwatched: Record<string, number>;
  reload_refused: string | null;
  watches: Watch[];
  outputs: string[];
  workers: { pid: number | null; job: string | null; rss_bytes: number | null; jobs_done: number }[];
  confinement: { level: string; reason: string | null } | null;
  hooks: { name: string; on: string[]; waiting: number; reason: string | null }[];
}

export interface Pipeline {
  name: string;
  is_watched: boolean;
  text: string;
}

export interface MadeFile {
  path: string;
  state: string;
  made: string;
  size_bytes: number;
  blake3: string;
  job: string | null;
  pipeline: string | null;
  duration_s: number | null;
  integrated_lufs: number | null;
  true_peak_dbtp: number | null;
  tags: Record<string, string>;
}

export interface Mistake {
  code: string;
  is_error: boolean;
  message: string;
  help: string | null;
  from: number;
  to: number;
  line: number;
  column: number;
}

export interface Target {
  id: string;
  name: string;
  purpose: string;
  integrated_lufs: number | null;
  tolerance_lu: number | null;
  true_peak_max_dbtp: number | null;
  loudness_range_max_lu: number | null;
  short_term_max_lufs: number | null;
  momentary_max_lufs: number | null;
}

export interface Submitted {
  batch: { id: string; total: number } | null;
  refused: { path: string; reason: string }[];
}

export interface Check {
  check: string;
  verdict: "ok" | "warn" | "bad" | string;
  found: string;
  help: string | null;
}

async function problem(response: Response): Promise<Problem> {
  let detail = `the program answered ${response.status}`;
  try {
    const body = await response.json();
    detail = body.detail || body.title || detail;
  } catch {
    // Not a problem document: the status has to do.
  }
  return new Problem(response.status, detail);
}

/** Sends a request; throws a `Problem` when it is refused, a `TypeError` when nobody answers. */
export async function send(method: string, path: string, body?: BodyInit | null, type?: string, abort?: AbortSignal) {
  const response = await fetch(path, {
    method,
    body,
    headers: type ? { "content-type": type } : {},
    signal: abort,
  });
  if (response.status === 401 && path !== "/login") access.value = "denied";
  if (!response.ok) throw await problem(response);
  if (access.value === "unknown") access.value = "granted";
  return response;
}

export async function get<T>(path: string, abort?: AbortSignal): Promise<T> {
  return (await send("GET", path, null, undefined, abort)).json();
}

export async function post<T>(path: string, body: unknown, abort?: AbortSignal): Promise<T> {
  const response = await send("POST", path, JSON.stringify(body), "application/json", abort);
  const text = await response.text();
  return (text ? JSON.parse(text) : null) as T;
}

export async function put<T>(path: string, body: unknown): Promise<T> {
  return (await send("PUT", path, JSON.stringify(body), "application/json")).json();
}

/** A message for people, whatever went wrong. */
export function reason(error: unknown): string {
  if (error instanceof Problem) {
    return error.isUnknownPath && error.detail.startsWith("the program answered")
      ? "this version of the program does not offer this yet"
      : error.detail;
  }
  if (error instanceof TypeError) return "the program does not answer";
  return error instanceof Error ? error.message : String(error);
}

const asked = new Map<string, Promise<unknown>>();

/** What does not change while the program runs is asked for once. */
export function once<T>(path: string): Promise<T> {
  let answer = asked.get(path) as Promise<T> | undefined;
  if (!answer) {
    answer = get<T>(path);
    asked.set(path, answer);
    answer.catch(() => asked.delete(path));
  }
  return answer;
}

/** Where the bytes of a file are. */
export function contentUrl(file: string): string {
  return `/v1/files/content?file=${encodeURIComponent(file)}`;
}
