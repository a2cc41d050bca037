// Files on their way to the program. An upload goes on where it stopped: after a lost connection by itself, after the page
// was closed when the same file is dropped again.

import { signal, type Signal } from "@preact/signals";
import { Problem, access, get, post, reason, type Submitted } from "../api";
import { say, refresh } from "../store";

/** Bytes of one request. */
const PART_BYTES = 8 << 20;

/** Files that are sent at once. */
const SENDERS_MAX = 2;

/** Seconds until a lost connection is tried again. */
const WAITS_S = [1, 2, 4, 8, 15, 30];

export type UploadState = "waiting" | "sending" | "paused" | "retrying" | "submitting" | "failed";

export interface Upload {
  key: number;
  file: File;
  /** Folder within what was dropped, empty at its top. */
  folder: string;
  pipeline: string;
  state: Signal<UploadState>;
  sent: Signal<number>;
  /** Bytes a second. */
  rate: Signal<number>;
  note: Signal<string>;
  id: string | null;
  request: XMLHttpRequest | null;
}

interface Received {
  id: string;
  name: string;
  size_bytes: number;
  received_bytes: number;
  is_complete: boolean;
}

export const uploads = signal<Upload[]>([]);
/** Uploads that the program holds a part of and this page has no file for. */
export const unfinished = signal<Received[]>([]);

let keys = 0;

/** What a file is known by between visits. */
function mark(file: File): string {
  return `upload:${file.name}:${file.size}:${file.lastModified}`;
}

export function add(files: { file: File; folder: string }[], pipeline: string) {
  const added = files.map(({ file, folder }): Upload => ({
    key: ++keys,
    file,
    folder,
    pipeline,
    state: signal("waiting"),
    sent: signal(0),
    rate: signal(0),
    note: signal(""),
    id: localStorage.getItem(mark(file)),
    request: null,
  }));
  uploads.value = [...uploads.value, ...added];
  next();
}

/** Begins as many uploads as may run. */
function next() {
  const isBusy = (it: Upload) => ["sending", "retrying", "submitting"].includes(it.state.value);
  let room = SENDERS_MAX - uploads.value.filter(isBusy).length;
  for (const upload of uploads.value) {
    if (room <= 0) break;
    if (upload.state.value === "waiting") {
      room -= 1;
      upload.state.value = "sending";
      void run(upload);
    }
  }
}

function leave(upload: Upload) {
  uploads.value = uploads.value.filter((it) => it !== upload);
  next();
}

async function run(upload: Upload) {
  for (let tries = 0; ; tries += 1) {
    try {
      await transfer(upload, () => (tries = 0));
      return;
    } catch (error) {
      if (error === STOPPED) return next();
      const isLost = error instanceof TypeError || (error instanceof Problem && error.status >= 500 && error.status !== 501);
      if (!isLost) {
        upload.state.value = "failed";
        upload.note.value = error instanceof Problem && error.isUnknownPath
          ? "This version of the program takes no uploads from a browser."
          : reason(error);
        return next();
      }
      const seconds = WAITS_S[Math.min(tries, WAITS_S.length - 1)]!;
      upload.state.value = "retrying";
      upload.note.value = `Connection lost; trying again in ${seconds} s`;
      await new Promise((wake) => setTimeout(wake, seconds * 1000));
      if ((upload.state.value as UploadState) !== "retrying") return next();
      upload.state.value = "sending";
      upload.note.value = "";
    }
  }
}

const STOPPED = new Error("stopped");

async function transfer(upload: Upload, onPart: () => void) {
  const { file } = upload;
  const place = await resume(upload);
  let { received_bytes: offset, is_complete: isComplete } = place;
  upload.sent.value = offset;
  let began = performance.now();
  let from = offset;
  while (!isComplete) {
    if (upload.state.value === "paused") throw STOPPED;
    const part = file.slice(offset, offset + PART_BYTES);
    const answer = await sendPart(upload, part, offset, (bytes) => {
      upload.sent.value = offset + bytes;
      const seconds = (performance.now() - began) / 1000;
      if (seconds > 0.5) upload.rate.value = (offset + bytes - from) / seconds;
    });
    if (answer.received_bytes <= offset && !answer.is_complete) throw new Problem(500, "the upload does not get further");
    ({ received_bytes: offset, is_complete: isComplete } = answer);
    onPart();
    if (performance.now() - began > 10_000) {
      began = performance.now();
      from = offset;
    }
  }
  upload.state.value = "submitting";
  upload.sent.value = file.size;
  const submitted = await post<Submitted>(`/v1/uploads/${upload.id}/submit`, { pipeline: upload.pipeline });
  localStorage.removeItem(mark(file));
  const refused = submitted?.refused?.[0];
  if (refused) {
    upload.state.value = "failed";
    upload.note.value = refused.reason;
    next();
  } else {
    leave(upload);
  }
  refresh();
}

/** Finds what the program has already, or begins anew. */
async function resume(upload: Upload): Promise<Received> {
  const { file } = upload;
  if (upload.id) {
    try {
      const known = await get<Received>(`/v1/uploads/${upload.id}`);
      if (known.size_bytes === file.size) return known;
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 404) throw error;
    }
  }
  const made = await post<Received>("/v1/uploads", { name: file.name, size_bytes: file.size });
  upload.id = made.id;
  localStorage.setItem(mark(file), made.id);
  return { ...made, received_bytes: made.received_bytes ?? 0, is_complete: made.is_complete ?? false };
}

function sendPart(upload: Upload, part: Blob, offset: number, onProgress: (bytes: number) => void) {
  return new Promise<Received>((resolve, reject) => {
    const request = new XMLHttpRequest();
    upload.request = request;
    request.open("POST", `/v1/uploads/${upload.id}/bytes?offset=${offset}`);
    request.setRequestHeader("content-type", "application/octet-stream");
    request.upload.onprogress = (event) => onProgress(event.loaded);
    request.onerror = () => reject(new TypeError("no connection"));
    request.onabort = () => reject(STOPPED);
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) return resolve(JSON.parse(request.responseText));
      if (request.status === 401) access.value = "denied";
      // The program has another number of bytes than this page believed: ask again.
      if (request.status === 409) return reject(new TypeError("another offset"));
      let detail = `the program answered ${request.status}`;
      try {
        detail = JSON.parse(request.responseText).detail ?? detail;
      } catch {
        // Not a problem document.
      }
      reject(new Problem(request.status, detail));
    };
    request.send(part);
  });
}

export function pause(upload: Upload) {
  upload.state.value = "paused";
  upload.note.value = "";
  upload.request?.abort();
  next();
}

export function goOn(upload: Upload) {
  upload.state.value = "waiting";
  upload.note.value = "";
  next();
}

export function forget(upload: Upload) {
  const isSending = upload.state.value === "sending";
  upload.state.value = "paused";
  if (isSending) upload.request?.abort();
  localStorage.removeItem(mark(upload.file));
  leave(upload);
}

/** Asks which uploads were interrupted in an earlier visit. */
export async function findUnfinished() {
  try {
    const { uploads: known } = await get<{ uploads: Received[] }>("/v1/uploads");
    const own = new Set(uploads.value.map((it) => it.id));
    unfinished.value = known.filter((it) => !it.is_complete && !own.has(it.id));
  } catch {
    unfinished.value = [];
  }
}

window.addEventListener("beforeunload", (event) => {
  if (uploads.value.some((it) => it.state.value === "sending")) event.preventDefault();
});

/** Says what happened to a drop that left something out. */
export function sayAdded(taken: number, left: number) {
  const files = (n: number) => (n === 1 ? "1 file" : `${n} files`);
  if (!taken) say("Nothing was added: there is no audio in what was dropped", "bad");
  else if (left) say(`${files(taken)} added, ${files(left)} left out: no audio`);
}
