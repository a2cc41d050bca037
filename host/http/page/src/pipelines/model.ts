// What a pipeline's text says, as far as a card shows it. What it means exactly is the program's to say: this only reads.

import { parse } from "smol-toml";
import { fixed, words } from "../format";

export interface Step {
  name: string;
  isEffect: boolean;
  preset: string | null;
  settings: string[];
  condition: string | null;
}

export interface Description {
  name: string;
  description: string;
  folders: string[];
  /** What a file must have to be taken, and what the outputs must have to be published. */
  requirements: { input: string[]; output: string[] };
  steps: Step[];
  outputs: { title: string; detail: string; path: string }[];
  after: string[];
  /** Why the text cannot be read. */
  mistake: string | null;
}

type Table = Record<string, unknown>;

const UNITS: [string, string][] = [
  ["_lufs", "LUFS"], ["_dbtp", "dBTP"], ["_dbfs", "dBFS"], ["_db", "dB"], ["_lu", "LU"], ["_hz", "Hz"], ["_ms", "ms"],
  ["_s", "s"], ["_kbps", "kbit/s"],
];

function unit(key: string): string {
  return UNITS.find(([suffix]) => key.endsWith(suffix))?.[1] ?? "";
}

function shown(value: unknown, key: string): string {
  if (typeof value === "number" || typeof value === "bigint") {
    const number = Number(value);
    const text = Number.isInteger(number) ? fixed(number, 0) : fixed(number, 2).replace(/0$/, "");
    return unit(key) === "Hz" && number >= 1000 ? `${Number((number / 1000).toFixed(2))} kHz` : `${text} ${unit(key)}`.trim();
  }
  if (Array.isArray(value)) return value.map((it) => shown(it, key)).join(" or ");
  if (value && typeof value === "object") {
    const { min, max, target, tolerance } = value as Table;
    if (target !== undefined) return `${shown(target, key)}${tolerance !== undefined ? ` \u00b1 ${shown(tolerance, "")}` : ""}`;
    if (min !== undefined && max !== undefined) return `${shown(min, key)} to ${shown(max, key)}`;
    if (min !== undefined) return `at least ${shown(min, key)}`;
    if (max !== undefined) return `at most ${shown(max, key)}`;
    return Object.entries(value).map(([name, it]) => `${words(name)} ${shown(it, name)}`).join(", ");
  }
  return String(value);
}

const list = (value: unknown): Table[] => (Array.isArray(value) ? value : value ? [value as Table] : []);

function step(table: Table): Step {
  const settings = Object.entries((table.with as Table) ?? {}).map(([key, value]) => {
    if (value === true) return words(key);
    if (value === false) return `no ${words(key)}`;
    return `${words(key)} ${shown(value, key)}`;
  });
  const conditions = Object.entries((table.when as Table) ?? {}).map(([key, value]) => `${words(key)} ${shown(value, key)}`);
  return {
    name: String(table.use ?? table.effect ?? "step"),
    isEffect: table.effect !== undefined,
    preset: table.preset === undefined ? null : String(table.preset),
    settings,
    condition: conditions.length ? conditions.join(", ") : null,
  };
}

function required(document: Table, on: string): string[] {
  const tables = list(document.require).filter((table) => (table.on ?? "input") === on);
  return tables.flatMap((table) =>
    Object.entries(table)
      .filter(([key]) => key !== "on")
      .map(([key, value]) => `${words(key).replace(/^rms/, "RMS")} ${shown(value, key)}`),
  );
}

function output(table: Table) {
  const parts: string[] = [];
  if (table.bit_depth !== undefined) parts.push(typeof table.bit_depth === "string" ? table.bit_depth : `${Number(table.bit_depth)}-bit`);
  if (table.bit_rate_kbps !== undefined) parts.push(`${Number(table.bit_rate_kbps)} kbit/s`);
  if (table.vbr_quality !== undefined) parts.push(`VBR quality ${Number(table.vbr_quality)}`);
  if (table.sample_rate_hz !== undefined) parts.push(shown(table.sample_rate_hz, "sample_rate_hz"));
  if (table.channels !== undefined) parts.push(Number(table.channels) === 1 ? "mono" : `${Number(table.channels)} channels`);
  if (table.after === "decode") parts.push("samples unchanged");
  else if (table.after !== undefined) parts.push(`after ${table.after}`);
  return { title: String(table.format ?? "file").toUpperCase(), detail: parts.join(", "), path: String(table.path ?? "") };
}

const known = new Map<string, Description>();

export function describe({ name, text }: { name: string; text: string }): Description {
  const cached = known.get(text);
  if (cached) return cached;
  const result = read(name, text);
  if (known.size > 100) known.clear();
  known.set(text, result);
  return result;
}

function read(name: string, text: string): Description {
  let document: Table;
  try {
    document = parse(text, { integersAsBigInt: "asNeeded" }) as Table;
  } catch (error) {
    const mistake = error instanceof Error ? error.message.split("\n")[0]! : String(error);
    return { name, description: "", folders: [], requirements: { input: [], output: [] }, steps: [], outputs: [], after: [], mistake };
  }
  const about = (document.pipeline as Table) ?? {};
  const source = (document.source as Table) ?? {};
  const report = (document.report as Table) ?? {};
  const outputs = list(document.export).map(output);
  if (report.json) outputs.push({ title: "Report", detail: "JSON", path: String(report.json) });
  if (report.html) outputs.push({ title: "Report page", detail: "HTML", path: String(report.html) });
  const chapters = document.chapters as Table | undefined;
  if (chapters?.json) outputs.push({ title: "Chapters", detail: "JSON", path: String(chapters.json) });
  const after = [
    source.on_success ? `source on success: ${source.on_success}` : "",
    source.on_failure ? `source on failure: ${source.on_failure}` : "",
    about.keep_for ? `outputs are deleted after ${about.keep_for}` : "",
    about.hours ? `begins at ${shown(about.hours, "")}` : "",
  ].filter(Boolean);
  return {
    name: String(about.name ?? name),
    description: String(about.description ?? ""),
    folders: list(document.watch).map((it) => String(it.path ?? "")),
    requirements: { input: required(document, "input"), output: required(document, "output") },
    steps: list(document.step).map(step),
    outputs,
    after,
    mistake: null,
  };
}
