// Where files come in: dropped anywhere on the page, or chosen; as uploads, or by their path on the machine of the program.

import { computed, signal } from "@preact/signals";
import { useRef, useState } from "preact/hooks";
import { once, post, type Submitted } from "../api";
import { extension } from "../format";
import { Icon } from "../icons";
import { go, href } from "../route";
import { attempt, pipelines, refresh, say } from "../store";
import { Button, Select } from "../ui";
import { describe } from "../pipelines/model";
import { add, sayAdded } from "./uploads";

/** The last choice, kept between visits. */
const wanted = signal(localStorage.getItem("pipeline") ?? "");

/** The pipeline that dropped files go through. */
export const chosen = computed(() => {
  const list = pipelines.value ?? [];
  return (list.find((it) => it.name === wanted.value) ?? list[0])?.name ?? "";
});

export function choose(name: string) {
  wanted.value = name;
  localStorage.setItem("pipeline", name);
}

interface Found {
  file: File;
  folder: string;
}

/** Files of a drop, with those in folders. */
async function filesOf(transfer: DataTransfer): Promise<Found[]> {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter((it) => it != null);
  if (!entries.length) return [...transfer.files].map((file) => ({ file, folder: "" }));
  const found: Found[] = [];
  for (const entry of entries) await walk(entry, "", found);
  return found;
}

async function walk(entry: FileSystemEntry, folder: string, found: Found[]): Promise<void> {
  if (entry.name.startsWith(".")) return;
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    found.push({ file, folder });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  // A reader gives at most a hundred entries at once.
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return;
    for (const child of some) await walk(child, folder ? `${folder}/${entry.name}` : entry.name, found);
  }
}

interface Formats {
  read: { extensions: string[] }[];
}

async function take(found: Found[]) {
  let audio = found;
  try {
    const formats = await once<Formats>("/v1/about/formats");
    const known = new Set(formats.read.flatMap((it) => it.extensions));
    audio = found.filter(({ file }) => known.has(extension(file.name)));
  } catch {
    // The program judges each file itself.
  }
  if (!chosen.value) return say("There is no pipeline that takes files", "bad");
  audio.sort((a, b) => `${a.folder}/${a.file.name}`.localeCompare(`${b.folder}/${b.file.name}`, "en", { numeric: true }));
  sayAdded(audio.length, found.length - audio.length);
  if (audio.length) add(audio, chosen.value);
}

/** Takes drops everywhere on the page, but where a part of it takes them itself. */
export function watchDrops() {
  const root = document.documentElement;
  let depth = 0;
  const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
  const end = () => {
    depth = 0;
    root.classList.remove("dragging");
  };
  window.addEventListener("dragenter", (event) => {
    if (!hasFiles(event)) return;
    depth += 1;
    root.classList.add("dragging");
  });
  window.addEventListener("dragleave", (event) => {
    if (hasFiles(event) && --depth <= 0) end();
  });
  window.addEventListener("dragover", (event) => {
    if (hasFiles(event)) event.preventDefault();
  });
  window.addEventListener("drop", (event) => {
    if (!hasFiles(event) || event.defaultPrevented) return end();
    event.preventDefault();
    end();
    go("queue");
    void filesOf(event.dataTransfer!).then(take);
  });
}

export function DropPanel() {
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const list = pipelines.value ?? [];
  const current = list.find((it) => it.name === chosen.value);
  const picked = (input: HTMLInputElement) => {
    const found = [...(input.files ?? [])].map((file) => ({
      file,
      folder: file.webkitRelativePath.split("/").slice(0, -1).join("/"),
    }));
    input.value = "";
    void take(found.filter((it) => !it.file.name.startsWith(".")));
  };
  return (
    <section class="panel drop" aria-label="Add files">
      <div class="drop-area">
        <Icon name="drop" size={30} />
        <div class="drop-words">
          <h1>Drop files or folders here</h1>
          <div class="row">
            <Button icon="file" kind="main" onClick={() => files.current!.click()}>Choose files</Button>
            <Button icon="folder" onClick={() => folder.current!.click()}>Choose a folder</Button>
          </div>
        </div>
        <input ref={files} type="file" multiple hidden aria-label="Files" onChange={(event) => picked(event.currentTarget)} />
        <input
          ref={(element) => {
            folder.current = element;
            if (element) element.webkitdirectory = true;
          }}
          type="file"
          hidden
          aria-label="Folder"
          onChange={(event) => picked(event.currentTarget)}
        />
      </div>
      <div class="drop-pipeline">
        <Select
          label="Pipeline"
          value={chosen.value}
          options={list.map((it) => ({ value: it.name, label: it.name }))}
          onChange={choose}
        />
        <p class="drop-about">{current ? describe(current).description : "\u00a0"}</p>
        <a class="faint" href={href("pipelines", current?.name)}>Steps and outputs</a>
        <PathForm />
      </div>
    </section>
  );
}

/** Files that are on the machine of the program need no upload. */
function PathForm() {
  const [path, setPath] = useState("");
  const submit = async (event: Event) => {
    event.preventDefault();
    const answer = await attempt(() => post<Submitted>("/v1/batches", { paths: [path.trim()], pipeline: chosen.value }));
    if (!answer) return;
    const refused = answer.refused[0];
    if (refused) say(`${refused.path}: ${refused.reason}`, "bad");
    else setPath("");
    refresh();
  };
  return (
    <details class="drop-path">
      <summary><Icon name="right" size={14} />Files on the machine where Wavemill runs</summary>
      <form class="row" onSubmit={submit}>
        <label class="grow">
          <span class="sr">Path of a file</span>
          <input type="text" placeholder="/path/to/file.wav" value={path} spellcheck={false} onInput={(event) => setPath(event.currentTarget.value)} />
        </label>
        <Button type="submit" disabled={!path.trim()}>Add</Button>
      </form>
    </details>
  );
}
