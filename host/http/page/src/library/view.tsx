// The library: what was made, to find and to listen to.

import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { get, type MadeFile } from "../api";
import { ago, clock, extension, fileName, folderOf, measure } from "../format";
import { Icon } from "../icons";
import { isAudio } from "../queue/job";
import { go, href, route } from "../route";
import { filesChanged } from "../store";
import { Button, Choices, Empty, Panel, Select, useLoaded } from "../ui";
import { FileView } from "./file";
import { References } from "./references";

type Order = "newest" | "name" | "loudest" | "quietest" | "longest";

type Shelf = "made" | "references";

const shelf = signal<Shelf>("made");
const search = signal("");
const pipeline = signal("");
const order = signal<Order>("newest");
const limit = signal(1000);
/** Files that are to be compared, at most two. */
const marked = signal<string[]>([]);

/** The same audio in several formats is one line. */
interface Title {
  key: string;
  name: string;
  files: MadeFile[];
  first: MadeFile;
}

function titles(files: MadeFile[]): Title[] {
  const found = new Map<string, Title>();
  for (const file of files) {
    if (!isAudio(file.path)) continue;
    const stem = file.path.slice(0, file.path.length - extension(file.path).length - 1);
    const key = `${file.job ?? ""} ${fileName(stem)}`;
    const title = found.get(key);
    if (title) title.files.push(file);
    else found.set(key, { key, name: file.tags.title || fileName(stem), files: [file], first: file });
  }
  for (const title of found.values()) {
    title.files.sort((a, b) => extension(b.path).localeCompare(extension(a.path)));
    title.first = title.files.find((it) => ["wav", "flac"].includes(extension(it.path))) ?? title.files[0]!;
  }
  return [...found.values()];
}

/** Words are searched in names, folders, pipelines and tags; `artist=ada` in one tag. */
function matches(title: Title, words: string[]): boolean {
  const { path, pipeline: made, tags } = title.first;
  const all = `${title.name} ${path} ${made ?? ""} ${Object.values(tags).join(" ")}`.toLowerCase();
  return words.every((word) => {
    const [key, value] = word.split("=");
    if (value !== undefined) return String(tags[key!] ?? "").toLowerCase().includes(value);
    return all.includes(word);
  });
}

const ORDERS: Record<Order, (a: Title, b: Title) => number> = {
  newest: (a, b) => b.first.made.localeCompare(a.first.made),
  name: (a, b) => a.name.localeCompare(b.name, "en", { numeric: true }),
  loudest: (a, b) => (b.first.integrated_lufs ?? -99) - (a.first.integrated_lufs ?? -99),
  quietest: (a, b) => (a.first.integrated_lufs ?? 99) - (b.first.integrated_lufs ?? 99),
  longest: (a, b) => (b.first.duration_s ?? 0) - (a.first.duration_s ?? 0),
};

export function LibraryView() {
  const { item, query } = route.value;
  if (item) return <FileView key={item} path={item} other={query.get("with")} />;
  return <List />;
}

function List() {
  const field = useRef<HTMLInputElement>(null);
  const version = filesChanged.value;
  const last = useRef<MadeFile[] | null>(null);
  const loaded = useLoaded((abort) => get<{ files: MadeFile[] }>(`/v1/files?limit=${limit.value}`, abort), `${version} ${limit.value}`);
  if (loaded.value) last.current = loaded.value.files;
  const files = last.current;
  const all = titles((files ?? []).filter((it) => it.state === "present"));
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = all
    .filter((title) => (!pipeline.value || title.first.pipeline === pipeline.value) && matches(title, words))
    .sort(ORDERS[order.value]);
  const names = [...new Set(all.map((it) => it.first.pipeline).filter((it): it is string => it != null))].sort();
  useEffect(() => {
    const slash = (event: KeyboardEvent) => {
      if (event.key === "/" && event.ctrlKey) {
        event.preventDefault();
        field.current?.focus();
      }
    };
    window.addEventListener("keydown", slash);
    return () => window.removeEventListener("keydown", slash);
  }, []);
  const mark = (path: string, isOn: boolean) => {
    marked.value = isOn ? [...marked.value, path].slice(-2) : marked.value.filter((it) => it !== path);
  };
  return (
    <>
      <div class="view-head">
        <div class="row">
          <h1>Library</h1>
          <Choices<Shelf> label="What is shown" value={shelf.value} onChange={(it) => (shelf.value = it)} options={[{ value: "made", label: "Made" }, { value: "references", label: "References" }]} />
        </div>
        <div class="row library-tools">
          <label class="search">
            <span class="sr">Search names, folders and tags</span>
            <Icon name="search" size={16} />
            <input ref={field} type="search" placeholder="Search names and tags, as in artist=ada" value={search.value} onInput={(event) => (search.value = event.currentTarget.value)} />
          </label>
          {shelf.value === "made" && <>
          <Select label="Pipeline" hideLabel value={pipeline.value} onChange={(it) => (pipeline.value = it)} options={[{ value: "", label: "All pipelines" }, ...names.map((it) => ({ value: it, label: it }))]} />
          <Select<Order>
            label="Order"
            hideLabel
            value={order.value}
            onChange={(it) => (order.value = it)}
            options={[
              { value: "newest", label: "Newest first" },
              { value: "name", label: "By name" },
              { value: "loudest", label: "Loudest first" },
              { value: "quietest", label: "Quietest first" },
              { value: "longest", label: "Longest first" },
            ]}
          />
          </>}
        </div>
      </div>
      {shelf.value === "references" ? <References words={words} /> : <Panel class="library">
        {files && !shown.length ? (
          <Empty icon="library" title={all.length ? "Nothing matches" : "Nothing was made yet"}>
            <p>{all.length ? "Try fewer words." : "Drop audio onto this page: what the pipeline makes of it is shown here."}</p>
          </Empty>
        ) : (
          <table class="library-table">
            <caption class="sr">Files that were made</caption>
            <thead>
              <tr>
                <th scope="col" class="mark"><span class="sr">Compare</span></th>
                <th scope="col">Name</th>
                <th scope="col" class="wide">Pipeline</th>
                <th scope="col">Formats</th>
                <th scope="col" class="num">Length</th>
                <th scope="col" class="num">LUFS</th>
                <th scope="col" class="num wide">dBTP</th>
                <th scope="col" class="num wide">Made</th>
              </tr>
            </thead>
            <tbody>{shown.slice(0, 500).map((title) => <Row key={title.key} title={title} isMarked={marked.value.includes(title.first.path)} onMark={mark} />)}</tbody>
          </table>
        )}
        {files && files.length >= limit.value && <Button onClick={() => (limit.value *= 4)}>Show older files</Button>}
      </Panel>}
      {marked.value.length > 0 && (
        <div class="compare-bar panel" role="region" aria-label="Comparison">
          <span class="grow clip">{marked.value.map(fileName).join("  and  ")}</span>
          <Button kind="quiet" onClick={() => (marked.value = [])}>Clear</Button>
          <Button
            kind="main"
            icon="compare"
            disabled={marked.value.length < 2}
            onClick={() => {
              const [one, other] = marked.value;
              marked.value = [];
              go("library", other, { with: one! });
            }}
          >
            {marked.value.length < 2 ? "Choose another one" : "Compare"}
          </Button>
        </div>
      )}
    </>
  );
}

function Row({ title, isMarked, onMark }: { title: Title; isMarked: boolean; onMark: (path: string, isOn: boolean) => void }) {
  const { first } = title;
  const artist = first.tags.artist;
  return (
    <tr>
      <td class="mark">
        <input type="checkbox" aria-label={`Compare ${title.name}`} checked={isMarked} onChange={(event) => onMark(first.path, event.currentTarget.checked)} />
      </td>
      <th scope="row">
        <a href={href("library", first.path)}><Icon name="play" size={14} />{title.name}</a>
        <small class="clip">{first.pipeline && <span class="narrow">{first.pipeline} {"\u00b7"} </span>}{artist ? `${artist} \u00b7 ` : ""}{folderOf(first.path)}</small>
      </th>
      <td class="wide">{first.pipeline ?? <span class="faint">adopted</span>}</td>
      <td class="formats">{title.files.map((file) => <a key={file.path} href={href("library", file.path)} aria-label={`${title.name}, ${extension(file.path)}`}>{extension(file.path)}</a>)}</td>
      <td class="num">{clock(first.duration_s)}</td>
      <td class="num">{measure(first.integrated_lufs)}</td>
      <td class="num wide">{measure(first.true_peak_dbtp)}</td>
      <td class="num wide faint">{ago(first.made)}</td>
    </tr>
  );
}
