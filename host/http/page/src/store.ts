// What the page knows of the program while it runs: its status and its jobs, kept up by its events.

import { batch, computed, effect, signal, type Signal } from "@preact/signals";
import { access, get, reason, type Job, type JobState, type Pipeline, type Status } from "./api";
import { fileName } from "./format";

export const status = signal<Status | null>(null);
export const jobs = signal<Job[] | null>(null);
export const pipelines = signal<Pipeline[] | null>(null);
/** Changes whenever files may have been made. */
export const filesChanged = signal(0);
/** Whether events arrive. */
export const connection = signal<"connecting" | "live" | "lost">("connecting");
/** The last message for people; `id` makes equal messages distinct. */
export const message = signal<{ id: number; text: string; kind: "info" | "good" | "bad" } | null>(null);

/** Whether there are jobs that the list did not ask for. */
export const hasOlderJobs = signal(false);
/** Jobs that the list asks for. */
export const jobsLimit = signal(200);

export const ENDED: JobState[] = ["done", "rejected", "failed", "skipped", "canceled"];
export const FAILED: JobState[] = ["failed", "rejected"];
/** Jobs by which the program answers requests of this page: nobody waits for their files. */
export const isInternal = (pipeline: string | undefined) => /^http-(metadata|analysis)$/.test(pipeline ?? "");
export const isOver = (state: JobState) => ENDED.includes(state);

/** How far a running job is. */
export interface Progress {
  share: number;
  /** Seconds, once enough is known for an estimate. */
  left: number | null;
}

const progresses = new Map<string, Signal<Progress>>();

export function progressOf(id: string): Signal<Progress> {
  let progress = progresses.get(id);
  if (!progress) {
    progress = signal({ share: 0, left: null });
    progresses.set(id, progress);
  }
  return progress;
}

/** Jobs by what matters: of the list where it has all, as the program counts them otherwise. */
export const working = computed(() => {
  const counts: Partial<Record<JobState, number>> = {};
  if (hasOlderJobs.value) Object.assign(counts, status.value?.jobs);
  else for (const job of jobs.value ?? []) counts[job.state] = (counts[job.state] ?? 0) + 1;
  const sum = (...states: JobState[]) => states.reduce((total, state) => total + (counts[state] ?? 0), 0);
  return {
    running: sum("running", "prepared", "published"),
    waiting: sum("ready", "retry"),
    failed: sum("failed", "rejected"),
    done: sum("done"),
  };
});

let messages = 0;

export function say(text: string, kind: "info" | "good" | "bad" = "info") {
  message.value = { id: ++messages, text, kind };
}

/** Runs an action of the user and reports what went wrong. */
export async function attempt<T>(action: () => Promise<T>, done?: string): Promise<T | undefined> {
  try {
    const result = await action();
    if (done) say(done, "good");
    return result;
  } catch (error) {
    say(capital(reason(error)), "bad");
    return undefined;
  }
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function note(id: string, share: number, startedMs: number) {
  const elapsed = (Date.now() - startedMs) / 1000;
  const left = share > 0.02 && elapsed > 1 && elapsed < 86400 ? (elapsed * (1 - share)) / share : null;
  progressOf(id).value = { share, left };
}

export async function loadStatus() {
  status.value = await get<Status>("/v1/status");
}

export async function loadJobs() {
  const all = (await get<{ jobs: Job[] }>(`/v1/jobs?limit=${jobsLimit.value}`)).jobs;
  const list = all.filter((job) => !isInternal(job.pipeline));
  batch(() => {
    hasOlderJobs.value = all.length >= jobsLimit.value;
    jobs.value = list;
    for (const job of list) {
      if (isOver(job.state)) progresses.delete(job.id);
      else if (job.progress != null && job.started) note(job.id, job.progress, Date.parse(job.started));
    }
  });
}

export async function loadPipelines() {
  pipelines.value = (await get<{ pipelines: Pipeline[] }>("/v1/pipelines")).pipelines;
}

let refreshing: number | undefined;
let refreshAgain = false;

/** Reads jobs and status again, soon and at most once a second. */
export function refresh() {
  if (refreshing !== undefined) {
    refreshAgain = true;
    return;
  }
  refreshing = window.setTimeout(async () => {
    await Promise.allSettled([loadJobs(), loadStatus()]);
    window.setTimeout(() => {
      refreshing = undefined;
      if (refreshAgain) {
        refreshAgain = false;
        refresh();
      }
    }, 700);
  }, 120);
}

interface DaemonEvent {
  event: string;
  job?: string;
  pipeline?: string;
  share?: number;
  input?: string;
  reason?: string;
  retry_in_s?: number | null;
}

const starts = new Map<string, number>();

function hear(event: DaemonEvent) {
  if (event.event === "progress" && event.job) {
    const job = jobs.value?.find((it) => it.id === event.job);
    if (!job) return;
    const began = starts.get(event.job) ?? (job?.started ? Date.parse(job.started) : Date.now());
    starts.set(event.job, began);
    note(event.job, event.share ?? 0, began);
    return;
  }
  if (isInternal(event.pipeline)) return;
  const name = event.input ? fileName(event.input) : "";
  if (event.event === "job-started" && event.job) starts.set(event.job, Date.now());
  if (event.event === "job-done") {
    say(`${name} is done`, "good");
    filesChanged.value += 1;
  }
  if (event.event === "job-rejected") say(`${name} was rejected: ${event.reason}`, "bad");
  if (event.event === "job-failed" && event.retry_in_s == null) say(`${name} failed: ${event.reason}`, "bad");
  if (event.event === "reloaded") loadPipelines().catch(() => {});
  if (event.event === "reload-refused") say(`Pipelines were not reloaded: ${event.reason}`, "bad");
  if (event.job && event.event !== "job-started") starts.delete(event.job);
  refresh();
}

/** Begins to listen once the program lets this browser in. */
export function start() {
  const probe = () => {
    Promise.all([loadStatus(), loadJobs(), loadPipelines()]).catch(() => {
      if (access.value !== "denied") {
        connection.value = "lost";
        window.setTimeout(probe, 3000);
      }
    });
  };
  probe();
  let source: EventSource | null = null;
  const listen = () => {
    source?.close();
    source = new EventSource("/v1/events");
    source.onopen = () => {
      if (connection.value === "lost") loadPipelines().catch(() => {});
      connection.value = "live";
      refresh();
    };
    source.onerror = () => {
      connection.value = "lost";
    };
    source.onmessage = (event) => hear(JSON.parse(event.data));
  };
  effect(() => {
    if (access.value === "granted") listen();
  });
  // New files in folders cause no event until their jobs begin.
  window.setInterval(() => {
    if (access.value !== "granted" || document.hidden) return;
    // A browser gives up where something else than the program answers, such as a proxy.
    if (source?.readyState === EventSource.CLOSED) listen();
    refresh();
  }, 4000);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && access.value === "granted") refresh();
  });
}
