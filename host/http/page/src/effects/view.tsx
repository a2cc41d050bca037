// Effects: a chain with its parameters, heard at once with a microphone or a file.

import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { contentUrl, get, reason, type MadeFile } from "../api";
import { fileName, fixed, measure } from "../format";
import { Icon } from "../icons";
import { isAudio } from "../queue/job";
import { say } from "../store";
import { Button, Hint, Panel, Select, useLoaded } from "../ui";
import * as live from "./live";
import { entries, fromShare, module, toShare, written, type Entry, type Module, type Param } from "./params";

interface Slot {
  key: number;
  module: Module;
  values: Record<string, number>;
}

let keys = 0;

/** The chain stays while other views are looked at. */
const chain = signal<Slot[]>([]);
const selected = signal(0);
const source = signal<live.Source>({ kind: "microphone" });

/** Slots of a chain, as many as a rack has. */
const SLOTS_MAX = 8;

function links(): live.Link[] {
  return chain.value.map(({ module: it, values }) => ({
    ...(it.isStep ? { step: it.name } : { effect: it.name }),
    with: Object.fromEntries(it.params.map((param) => [param.key, written(param, values[param.key] ?? param.fallback)])),
  }));
}

let rebuilding: number | undefined;

function rebuild() {
  clearTimeout(rebuilding);
  rebuilding = window.setTimeout(() => void live.rebuild(links()), 250);
}

function setValues(slot: Slot, values: Record<string, number>) {
  const index = chain.value.indexOf(slot);
  const changed = slot.module.params.filter((param) => values[param.key] !== undefined && values[param.key] !== slot.values[param.key]);
  chain.value = chain.value.map((it) => (it === slot ? { ...slot, values: { ...slot.values, ...values } } : it));
  if (changed.some((param) => param.needsRestart)) return rebuild();
  for (const param of changed) live.set(index, param.key, written(param, values[param.key]!));
}

function move(index: number, by: number) {
  const list = chain.value.slice();
  const [slot] = list.splice(index, 1);
  list.splice(index + by, 0, slot!);
  chain.value = list;
  selected.value = index + by;
  rebuild();
}

function remove(index: number) {
  chain.value = chain.value.filter((_, at) => at !== index);
  selected.value = Math.max(0, Math.min(selected.value, chain.value.length - 1));
  rebuild();
}

async function add(entry: Entry) {
  try {
    const loaded = await module(entry);
    const values = Object.fromEntries(loaded.params.map((param) => [param.key, param.fallback]));
    chain.value = [...chain.value, { key: ++keys, module: loaded, values }];
    selected.value = chain.value.length - 1;
    rebuild();
  } catch (error) {
    say(`${entry.title}: ${reason(error)}`, "bad");
  }
}

/** The chain as steps of a pipeline. */
function toToml(): string {
  const text = (value: unknown) => (typeof value === "number" && Number.isInteger(value) ? value.toFixed(1) : JSON.stringify(value));
  return chain.value
    .map(({ module: it, values }) => {
      const changed = it.params.filter((param) => values[param.key] !== param.fallback || (it.isStep && it.name === "gain"));
      const inside = changed.map((param) => `${param.key} = ${text(written(param, values[param.key]!))}`).join(", ");
      return `[[step]]\n${it.isStep ? "use" : "effect"} = "${it.name}"\n${inside ? `with = { ${inside} }\n` : ""}`;
    })
    .join("\n");
}

export function EffectsView() {
  const known = useLoaded(() => entries(), "");
  useEffect(() => () => live.end(), []);
  const slot = chain.value[selected.value];
  return (
    <>
      <div class="view-head">
        <h1>Effects</h1>
        <Stream />
      </div>
      <div role="status">{live.problem.value && <div class="panel"><Hint kind="bad">{live.problem.value}</Hint></div>}</div>
      <div class="effects">
        <div class="stack">
          <Panel
            title="Chain"
            aside={
              chain.value.length > 0 && (
                <Button kind="quiet" onClick={() => navigator.clipboard.writeText(toToml()).then(() => say("Steps for a pipeline are on the clipboard", "good"), () => say("The browser did not allow the clipboard", "bad"))}>
                  Copy as steps
                </Button>
              )
            }
          >
            {chain.value.length === 0 && <p class="faint chain-empty">Add an effect below, then start and listen.</p>}
            <ol class="chain">
              {chain.value.map((it, index) => (
                <li key={it.key} class={index === selected.value ? "is-chosen" : ""}>
                  <button type="button" class="chain-name" aria-pressed={index === selected.value} onClick={() => (selected.value = index)}>
                    <span class="faint">{index + 1}</span> {it.module.title}
                  </button>
                  <Button icon="up" kind="quiet" label={`Move ${it.module.title} up`} disabled={index === 0} onClick={() => move(index, -1)} />
                  <Button icon="down" kind="quiet" label={`Move ${it.module.title} down`} disabled={index === chain.value.length - 1} onClick={() => move(index, 1)} />
                  <Button icon="close" kind="quiet" label={`Remove ${it.module.title}`} onClick={() => remove(index)} />
                </li>
              ))}
            </ol>
          </Panel>
          <Panel title="Add">
            {known.error !== undefined && <Hint kind="bad">{reason(known.error)}</Hint>}
            <ul class="add-list">
              {(known.value ?? []).map((entry) => (
                <li key={`${entry.isStep} ${entry.name}`}>
                  <button type="button" onClick={() => void add(entry)} disabled={chain.value.length >= SLOTS_MAX}>
                    <Icon name="plus" size={16} />
                    <span><strong>{entry.title}</strong><small>{entry.summary}</small></span>
                  </button>
                </li>
              ))}
            </ul>
          </Panel>
        </div>
        {slot ? <Face key={slot.key} slot={slot} /> : <Panel class="face"><div class="empty"><Icon name="effects" size={28} /><p class="empty-title">Nothing in the chain</p><p>What you hear here is what <code>wavemill run</code> writes: the same modules, the same samples.</p></div></Panel>}
      </div>
    </>
  );
}

function Stream() {
  const file = useRef<HTMLInputElement>(null);
  const made = useLoaded(() => get<{ files: MadeFile[] }>("/v1/files?limit=300"), "").value?.files.filter((it) => isAudio(it.path)) ?? [];
  const isOn = live.state.value !== "off";
  const current = source.value;
  const value = current.kind === "microphone" ? "mic" : `file:${current.name}`;
  const choose = (next: live.Source) => {
    source.value = next;
    if (isOn) void live.begin(next, links());
  };
  const onChange = (choice: string) => {
    if (choice === "mic") choose({ kind: "microphone" });
    else if (choice === "open") file.current!.click();
    else if (choice.startsWith("made:")) {
      const path = choice.slice(5);
      choose({
        kind: "file",
        name: fileName(path),
        load: async () => {
          const response = await fetch(contentUrl(path));
          if (!response.ok) throw new Error("the file cannot be read");
          return response.arrayBuffer();
        },
      });
    }
  };
  return (
    <div class="row stream">
      <Select
        label="Input"
        value={value}
        onChange={onChange}
        options={[
          { value: "mic", label: "Microphone" },
          ...(current.kind === "file" ? [{ value, label: current.name }] : []),
          { value: "open", label: "Open a file\u2026" },
          ...made.slice(0, 100).map((it) => ({ value: `made:${it.path}`, label: fileName(it.path) })),
        ]}
      />
      <input
        ref={file}
        type="file"
        accept="audio/*"
        hidden
        aria-label="File to play"
        onChange={(event) => {
          const chosen = event.currentTarget.files?.[0];
          if (chosen) choose({ kind: "file", name: chosen.name, load: () => chosen.arrayBuffer() });
        }}
      />
      <Button kind="main" icon={isOn ? "stop" : current.kind === "microphone" ? "mic" : "play"} disabled={live.state.value === "starting"} onClick={() => (isOn ? live.end() : void live.begin(current, links()))}>
        {isOn ? "Stop" : "Start"}
      </Button>
      <Button aria-pressed={live.isBypassed.value} kind={live.isBypassed.value ? "main" : "plain"} onClick={() => live.setBypass(!live.isBypassed.value)}>Bypass</Button>
      <MetersLine />
      {current.kind === "microphone" && !isOn && <small>With loudspeakers a microphone feeds back: use headphones.</small>}
    </div>
  );
}

function MetersLine() {
  const now = live.meters.value;
  if (live.state.value !== "on") return null;
  const latency = live.latencyFrames.value;
  return (
    <dl class="live-meters">
      <div><dt>M</dt><dd>{measure(now?.momentary_lufs)}</dd></div>
      <div><dt>S</dt><dd>{measure(now?.short_term_lufs)}</dd></div>
      <div><dt>I</dt><dd>{measure(now?.integrated_lufs)} <span class="unit">LUFS</span></dd></div>
      <div><dt>TP</dt><dd class={(now?.true_peak_dbtp ?? -99) > 0 ? "bad" : ""}>{measure(now?.true_peak_dbtp)} <span class="unit">dBTP</span></dd></div>
      <div><dt>Latency</dt><dd>{fixed((latency / 48_000) * 1000, 1)} <span class="unit">ms</span></dd></div>
      {live.gaps.value > 0 && <div class="bad"><dt>Gaps</dt><dd>{live.gaps.value}</dd></div>}
    </dl>
  );
}

function Face({ slot }: { slot: Slot }) {
  const { module: it, values } = slot;
  const [preset, setPreset] = useState("");
  const isChanged = it.params.some((param) => values[param.key] !== param.fallback);
  return (
    <Panel
      title={it.title}
      class="face"
      aside={
        <>
          {it.presets.length > 0 && (
            <Select
              label="Preset"
              value={preset}
              onChange={(name) => {
                setPreset(name);
                const found = it.presets.find((one) => one.name === name);
                const fallbacks = Object.fromEntries(it.params.map((param) => [param.key, param.fallback]));
                setValues(slot, { ...fallbacks, ...(found?.values ?? {}) });
              }}
              options={[{ value: "", label: "none" }, ...it.presets.map((one) => ({ value: one.name, label: one.name }))]}
            />
          )}
          <Button kind="quiet" disabled={!isChanged} onClick={() => setValues(slot, Object.fromEntries(it.params.map((param) => [param.key, param.fallback])))}>Reset</Button>
        </>
      }
    >
      <p class="faint face-about">{it.summary}</p>
      {!it.params.length && <p class="faint">It has no parameters.</p>}
      <div class="params">
        {it.params.map((param) => <Control key={param.key} param={param} value={values[param.key] ?? param.fallback} onChange={(value) => setValues(slot, { [param.key]: value })} />)}
      </div>
      <details class="manual"><summary><Icon name="right" size={14} />Manual</summary><p>{it.manual}</p></details>
    </Panel>
  );
}

function Control({ param, value, onChange }: { param: Param; value: number; onChange: (value: number) => void }) {
  const id = `param-${param.key}`;
  const about = `${id}-about`;
  if (param.labels.length) {
    return (
      <div class="param" title={param.summary}>
        <label for={id}>{param.name}</label>
        {param.isSwitch ? (
          <span><input id={id} type="checkbox" aria-describedby={about} checked={value > 0.5} onChange={(event) => onChange(event.currentTarget.checked ? 1 : 0)} /></span>
        ) : (
          <span class="select">
            <select id={id} aria-describedby={about} value={String(Math.round(value))} onChange={(event) => onChange(Number(event.currentTarget.value))}>
              {param.labels.map((label, index) => <option key={label} value={String(index)}>{label}</option>)}
            </select>
            <Icon name="down" size={14} />
          </span>
        )}
        <span class="sr" id={about}>{param.summary}</span>
      </div>
    );
  }
  return (
    <div class="param" title={param.summary}>
      <label for={id}>{param.name}</label>
      <input
        type="range"
        aria-label={`${param.name}, slider`}
        aria-valuetext={`${value} ${param.unit}`}
        aria-describedby={about}
        min={0}
        max={1}
        step={param.isWhole ? 1 / Math.max(1, param.max - param.min) : 0.002}
        value={toShare(param, value)}
        onInput={(event) => onChange(fromShare(param, Number(event.currentTarget.value)))}
        onDblClick={() => onChange(param.fallback)}
      />
      <span class="param-number">
        <input
          id={id}
          type="number"
          aria-describedby={about}
          min={param.min}
          max={param.max}
          step="any"
          value={value}
          onChange={(event) => {
            const typed = Number(event.currentTarget.value);
            if (Number.isFinite(typed)) onChange(Math.max(param.min, Math.min(param.max, typed)));
          }}
        />
        <span class="unit">{param.unit}</span>
      </span>
      <span class="sr" id={about}>{param.summary}</span>
    </div>
  );
}
