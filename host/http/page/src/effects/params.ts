// Parameters of effects and steps in one shape.

import { get, once } from "../api";

export interface Param {
  key: string;
  name: string;
  summary: string;
  unit: string;
  min: number;
  max: number;
  fallback: number;
  scale: "lin" | "log";
  /** Names of the values 0, 1 and so on; empty for numbers. */
  labels: string[];
  isWhole: boolean;
  isSwitch: boolean;
  /** Whether a change needs a new stream. */
  needsRestart: boolean;
}

export interface Preset {
  name: string;
  values: Record<string, number>;
}

export interface Module {
  name: string;
  title: string;
  summary: string;
  manual: string;
  isStep: boolean;
  params: Param[];
  presets: Preset[];
}

export interface Entry {
  name: string;
  title: string;
  summary: string;
  isStep: boolean;
}

interface EffectParam {
  key: string;
  name: string;
  summary: string;
  unit: string;
  min: number;
  max: number;
  default: number;
  scale: string;
  steps: number | null;
  labels: string[];
  needs_restart: boolean;
}

interface StepParam {
  key: string;
  summary: string;
  type: string;
  unit?: string;
  min?: number;
  max?: number;
  default: number | string | boolean | null;
  choices?: string[];
}

interface StepEntry {
  name: string;
  summary: string;
  manual: string;
  params: StepParam[];
}

/** Steps that need no look at the whole file, so that they can be played live. */
const LIVE_STEPS = ["gain", "high-pass", "low-pass", "limit", "invert", "swap"];

function title(name: string): string {
  const words = name.replace(/_(lufs|dbtp|dbfs|db|hz|ms|s|lu|kbps)$/, "").replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export async function entries(): Promise<Entry[]> {
  const [effects, steps] = await Promise.all([
    once<{ effects: { name: string; title: string; summary: string }[] }>("/v1/about/effects"),
    once<{ steps: StepEntry[] }>("/v1/about/steps"),
  ]);
  return [
    ...effects.effects.map((it) => ({ name: it.name, title: it.title, summary: it.summary, isStep: false })),
    ...steps.steps.filter((it) => LIVE_STEPS.includes(it.name)).map((it) => ({ name: it.name, title: title(it.name), summary: it.summary, isStep: true })),
  ];
}

export async function module(entry: Entry): Promise<Module> {
  if (entry.isStep) {
    const { steps } = await once<{ steps: StepEntry[] }>("/v1/about/steps");
    const step = steps.find((it) => it.name === entry.name)!;
    return { ...entry, manual: step.manual, params: step.params.map(ofStep).filter((it): it is Param => it != null), presets: [] };
  }
  const { effect } = await get<{ effect: { description: { manual: string; params: EffectParam[]; presets: Preset[] } } }>(`/v1/effects/${entry.name}`);
  const { manual, params, presets } = effect.description;
  return { ...entry, manual, params: params.map(ofEffect), presets };
}

function ofEffect(param: EffectParam): Param {
  const isSwitch = param.labels.join() === "off,on";
  return {
    key: param.key,
    name: param.name,
    summary: param.summary,
    unit: param.unit,
    min: param.min,
    max: param.max,
    fallback: param.default,
    scale: param.scale === "log" && param.min > 0 ? "log" : "lin",
    labels: param.labels,
    isWhole: param.steps != null,
    isSwitch,
    needsRestart: param.needs_restart,
  };
}

function ofStep(param: StepParam): Param | null {
  const base = { key: param.key, name: title(param.key), summary: param.summary, unit: param.unit ?? "", needsRestart: false };
  if (param.type === "choice" && param.choices) {
    const fallback = Math.max(0, param.choices.indexOf(String(param.default)));
    return { ...base, min: 0, max: param.choices.length - 1, fallback, scale: "lin", labels: param.choices, isWhole: true, isSwitch: false };
  }
  if (param.type === "bool") {
    return { ...base, min: 0, max: 1, fallback: param.default ? 1 : 0, scale: "lin", labels: ["off", "on"], isWhole: true, isSwitch: true };
  }
  if (param.min === undefined || param.max === undefined) return null;
  const scale = param.unit === "Hz" && param.min > 0 ? "log" : "lin";
  return { ...base, min: param.min, max: param.max, fallback: Number(param.default ?? 0), scale, labels: [], isWhole: param.type === "integer", isSwitch: false };
}

/** A value as a pipeline writes it. */
export function written(param: Param, value: number): number | string | boolean {
  if (param.isSwitch) return value > 0.5;
  if (param.labels.length) return param.labels[Math.round(value)] ?? value;
  return Number(value.toPrecision(6));
}

/** Where a slider stands, 0 to 1. */
export function toShare(param: Param, value: number): number {
  if (param.scale === "log") return Math.log(value / param.min) / Math.log(param.max / param.min);
  return (value - param.min) / (param.max - param.min);
}

export function fromShare(param: Param, share: number): number {
  const value = param.scale === "log" ? param.min * (param.max / param.min) ** share : param.min + share * (param.max - param.min);
  return param.isWhole ? Math.round(value) : rounded(value, param);
}

/** As many digits as one can hear or read. */
function rounded(value: number, param: Param): number {
  const span = param.scale === "log" ? Math.abs(value) : param.max - param.min;
  const digits = span >= 200 ? 0 : span >= 20 ? 1 : span >= 2 ? 2 : 3;
  return Number(value.toFixed(digits));
}
