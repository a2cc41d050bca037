// One pipeline: its text with what `check` says, what it does, and a dry run with a file.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Editor, EditorModule } from "../editor/editor";
import { Problem, get, once, post, put, reason, type MadeFile, type Mistake, type Pipeline, type Submitted } from "../api";
import { bytes, clock, count, fileName, hertz } from "../format";
import { Icon } from "../icons";
import { go, href } from "../route";
import { attempt, jobs, loadPipelines, refresh, say } from "../store";
import { isAudio } from "../queue/job";
import { Button, Hint, Panel, useLoaded } from "../ui";
import { Flow } from "./card";
import { describe } from "./model";

interface Checked {
  text: string;
  mistakes: Mistake[];
  error?: string;
}

/** Milliseconds of rest after a key until the text is checked. */
const CHECK_AFTER_MS = 220;

export function EditorPage({ pipeline, isNew }: { pipeline: Pipeline; isNew: boolean }) {
  const [text, setText] = useState(pipeline.text);
  const [checked, setChecked] = useState<Checked | null>(null);
  const editor = useRef<Editor | null>(null);
  const canSave = useLoaded(() => once<{ paths: Record<string, { put?: unknown }> }>("/openapi.json"), "").value?.paths["/v1/pipelines/{name}"]?.put !== undefined;

  useEffect(() => {
    const abort = new AbortController();
    const timer = setTimeout(async () => {
      try {
        const { mistakes } = await post<{ mistakes: Mistake[] }>("/v1/pipelines/check", { toml: text }, abort.signal);
        setChecked({ text, mistakes });
        editor.current?.show(mistakes);
      } catch (error) {
        if (!abort.signal.aborted) setChecked({ text, mistakes: [], error: reason(error) });
      }
    }, checked ? CHECK_AFTER_MS : 0);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [text]);

  const about = useMemo(() => describe({ name: pipeline.name, text }), [text]);
  const isChanged = text !== pipeline.text;
  const errors = checked?.mistakes.filter((it) => it.is_error) ?? [];
  const save = () =>
    attempt(async () => {
      await put(`/v1/pipelines/${encodeURIComponent(about.name)}`, { toml: text });
      await loadPipelines();
      if (isNew) go("pipelines", about.name);
    }, `${about.name} is saved`);
  const download = () => {
    const url = URL.createObjectURL(new Blob([text], { type: "application/toml" }));
    const link = document.createElement("a");
    link.href = url;
    link.download = `${about.name || "pipeline"}.toml`;
    link.click();
    URL.revokeObjectURL(url);
  };
  return (
    <>
      <div class="view-head">
        <h1><a class="back" href={href("pipelines")}><Icon name="left" /><span class="sr">All pipelines</span></a> {isNew ? "New pipeline" : pipeline.name}{isChanged && <span class="faint"> (changed)</span>}</h1>
        <div class="row">
          {isChanged && !isNew && <Button kind="quiet" onClick={() => editor.current?.set(pipeline.text)}>Discard changes</Button>}
          <Button icon="download" onClick={download}>Download</Button>
          {canSave && <Button kind="main" disabled={!isChanged && !isNew || errors.length > 0} onClick={save}>Save</Button>}
        </div>
      </div>
      <div class="edit">
        <div class="stack">
          <TextPane text={pipeline.text} onChange={setText} onReady={(it) => {
            editor.current = it;
            if (checked) it.show(checked.mistakes);
          }} />
          <Mistakes checked={checked} isFresh={checked?.text === text} onGo={(mistake) => editor.current?.reveal(mistake)} />
        </div>
        <div class="stack">
          <Panel title="What it does">
            {about.mistake ? <Hint>This shows again when the text can be read.</Hint> : <><p class="card-about">{about.description}</p><Flow about={about} /></>}
          </Panel>
          <DryRun text={text} hasErrors={errors.length > 0} />
        </div>
      </div>
    </>
  );
}

function TextPane(props: { text: string; onChange: (text: string) => void; onReady: (editor: Editor) => void }) {
  const host = useRef<HTMLDivElement>(null);
  const [error, setError] = useState("");
  useEffect(() => {
    let editor: Editor | null = null;
    let isOver = false;
    // The editor is a file of its own, loaded now.
    const module = "/editor.js";
    Promise.all([import(/* @vite-ignore */ module) as Promise<EditorModule>, once("/v1/about/schema").catch(() => null)])
      .then(([{ mount }, schema]) => {
        if (isOver) return;
        editor = mount(host.current!, { text: props.text, schema, label: "Text of the pipeline", onChange: props.onChange });
        props.onReady(editor);
      })
      .catch((problem) => setError(reason(problem)));
    return () => {
      isOver = true;
      editor?.destroy();
    };
  }, []);
  return (
    <div class="panel text-pane">
      {error && <Hint kind="bad">The editor cannot be loaded: {error}</Hint>}
      <div ref={host} class="text-host" />
    </div>
  );
}

function Mistakes({ checked, isFresh, onGo }: { checked: Checked | null; isFresh: boolean; onGo: (mistake: Mistake) => void }) {
  const mistakes = checked?.mistakes ?? [];
  const errors = mistakes.filter((it) => it.is_error).length;
  return (
    <Panel title="Check" class={`mistakes${isFresh ? "" : " stale"}`}>
      <div role="status">
        {!checked && <Hint>{"\u2026"}</Hint>}
        {checked?.error && <Hint kind="bad">{checked.error}</Hint>}
        {checked && !checked.error && !mistakes.length && <Hint kind="good">No mistakes</Hint>}
        {mistakes.length > 0 && <span class="sr">{count(errors, "mistake")}, {count(mistakes.length - errors, "warning")}</span>}
      </div>
      <ul>
        {mistakes.map((mistake, index) => (
          <li key={index}>
            <button type="button" class="mistake" onClick={() => onGo(mistake)}>
              <span class={mistake.is_error ? "bad" : "held"}><Icon name="warn" size={16} /></span>
              <span class="faint">line {mistake.line}</span>
              <span>{mistake.message}{mistake.help && <small class="mistake-help">{mistake.help}</small>}</span>
            </button>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

interface Plan {
  input: { duration_s: number | null; sample_rate_hz: number; channels: number; format: string };
  rejected: unknown;
  steps: { use?: string; effect?: string; id: string | null; skipped: string | null }[];
  passes: { reads: string; steps: string[]; observed_by: string | null; spool_bytes: number; exports: number[] }[];
  exports: { path: string; format: string; bit_depth: number | null; bit_rate_kbps?: number; sample_rate_hz: number; channels: number; dither: string }[];
  page: string | null;
  report: string | null;
  warnings: unknown[];
}

function DryRun({ text, hasErrors }: { text: string; hasErrors: boolean }) {
  const [file, setFile] = useState("");
  const [plan, setPlan] = useState<Plan | null>(null);
  const [error, setError] = useState("");
  const known = useLoaded(() => get<{ files: MadeFile[] }>("/v1/files?limit=200"), "").value?.files ?? [];
  const sources = [...new Set([...(jobs.value ?? []).map((job) => job.source_moved_to ?? job.input), ...known.filter((it) => isAudio(it.path)).map((it) => it.path)])].slice(0, 200);
  const ask = async (event: Event) => {
    event.preventDefault();
    setError("");
    try {
      const answer = await post<{ plan?: Plan } & Plan>("/v1/pipelines/plan", { toml: text, file: file.trim() });
      setPlan(answer.plan ?? answer);
    } catch (problem) {
      setPlan(null);
      setError(problem instanceof Problem && problem.isUnknownPath && problem.status !== 404 ? "This version of the program offers no dry run here." : reason(problem));
    }
  };
  const process = () =>
    attempt(async () => {
      const answer = await post<Submitted>("/v1/batches", { paths: [file.trim()], toml: text });
      const refused = answer.refused[0];
      if (refused) throw new Error(`${refused.path}: ${refused.reason}`);
      say(`${fileName(file)} is in the queue`, "good");
      refresh();
      go("queue");
    });
  return (
    <Panel title="Dry run">
      <form class="stack" onSubmit={ask}>
        <label class="field block">
          <span>What would happen to a file that Wavemill knows; nothing is written</span>
          <input type="text" list="dry-run-files" placeholder="/path/to/file.wav" spellcheck={false} value={file} onInput={(event) => setFile(event.currentTarget.value)} />
        </label>
        <datalist id="dry-run-files">{sources.map((path) => <option key={path} value={path} />)}</datalist>
        <div class="row">
          <Button type="submit" disabled={!file.trim() || hasErrors}>Dry run</Button>
          <Button kind="quiet" disabled={!file.trim() || hasErrors} onClick={process}>Process with this text</Button>
        </div>
      </form>
      <div role="status">{error && <Hint kind="bad">{error}</Hint>}</div>
      {plan && <PlanView plan={plan} />}
    </Panel>
  );
}

function PlanView({ plan }: { plan: Plan }) {
  const { input } = plan;
  return (
    <div class="plan">
      <p class="faint">{input.format}, {clock(input.duration_s)}, {hertz(input.sample_rate_hz)}, {count(input.channels, "channel")}</p>
      {plan.rejected != null && <Hint kind="bad">Would be rejected: {typeof plan.rejected === "string" ? plan.rejected : JSON.stringify(plan.rejected)}</Hint>}
      <ol class="plan-passes">
        {plan.passes.map((pass, index) => (
          <li key={index}>
            <strong>Pass {index + 1}</strong> reads the {pass.reads}: {pass.steps.join(", ") || "no steps"}
            {pass.observed_by && <span class="faint">, measures for {pass.observed_by}</span>}
            {pass.spool_bytes > 0 && <span class="faint">, {bytes(pass.spool_bytes)} on disk</span>}
          </li>
        ))}
      </ol>
      {plan.steps.filter((it) => it.skipped).map((it) => <p class="faint" key={it.id ?? it.use}>{it.use ?? it.effect} is skipped: {it.skipped}</p>)}
      <ul class="outputs">
        {plan.exports.map((made) => (
          <li key={made.path}>
            <Icon name="library" size={16} />
            <span class="break">{made.path}</span>
            <span class="faint">{[made.bit_depth && `${made.bit_depth}-bit`, made.bit_rate_kbps && `${made.bit_rate_kbps} kbit/s`, hertz(made.sample_rate_hz)].filter(Boolean).join(", ")}</span>
          </li>
        ))}
        {[plan.report, plan.page].filter(Boolean).map((path) => <li key={path}><Icon name="page" size={16} /><span class="break">{path}</span></li>)}
      </ul>
      {plan.warnings.map((warning, index) => <Hint kind="bad" key={index}>{typeof warning === "string" ? warning : JSON.stringify(warning)}</Hint>)}
    </div>
  );
}
