// The program itself: folders that are watched, whether the machine is fit, workers, hooks, and the settings of this page.

import { useState } from "preact/hooks";
import { get, post, reason, type Check, type Watch } from "../api";
import { maybe } from "../library/analysis";
import { ago, bytes, clock, count, fileName, wait } from "../format";
import { Icon } from "../icons";
import { href } from "../route";
import { attempt, filesChanged, loadPipelines, refresh, status } from "../store";
import { Button, Choices, Hint, Panel, Select, useConfirm, useLoaded } from "../ui";

export function SystemView() {
  return (
    <>
      <div class="view-head"><h1>System</h1>{status.value && <span class="faint">Wavemill {status.value.version}, running for {wait(status.value.uptime_s)}</span>}</div>
      {/* Nothing below moves when the folders are known. */}
      {status.value ? (
        <div class="system">
          <Figures />
          <Watches />
          <div class="stack">
            <Appearance />
            <Control />
            <Workers />
            <Hooks />
          </div>
          <Doctor />
        </div>
      ) : <div class="panel tall" />}
    </>
  );
}

function Figures() {
  const stats = useLoaded((abort) => get<{ count: number; bytes: number; audio_s: number; cache?: { hits: number; misses: number; used_bytes: number } }>("/v1/files/stats", abort), filesChanged.value).value;
  const jobs = status.value?.jobs;
  return (
    <Panel title="Made so far" class="full">
      <dl class="figures">
        <div><dt>Files</dt><dd>{stats ? stats.count.toLocaleString("en-US") : "\u2013"}</dd></div>
        <div><dt>Audio</dt><dd>{stats ? clock(stats.audio_s) : "\u2013"}</dd></div>
        <div><dt>On disk</dt><dd>{stats ? bytes(stats.bytes) : "\u2013"}</dd></div>
        <div><dt>Jobs done</dt><dd>{jobs ? jobs.done.toLocaleString("en-US") : "\u2013"}</dd></div>
        <div><dt>Failed or rejected</dt><dd>{jobs ? (jobs.failed + jobs.rejected).toLocaleString("en-US") : "\u2013"}</dd></div>
      </dl>
    </Panel>
  );
}

function Watches() {
  const watches = status.value?.watches ?? [];
  return (
    <Panel title="Watched folders" class="full">
      <table class="watch-table">
        <caption class="sr">Watched folders</caption>
        <thead><tr><th scope="col">State</th><th scope="col">Folder</th><th scope="col">Pipeline</th><th scope="col" class="num">Files</th><th scope="col" class="num wide">Last scan</th></tr></thead>
        <tbody>{watches.map((watch) => <WatchRow key={`${watch.pipeline} ${watch.path}`} watch={watch} />)}</tbody>
      </table>
      {status.value && !watches.length && <p class="faint">No folder is watched.</p>}
    </Panel>
  );
}

function WatchRow({ watch }: { watch: Watch }) {
  const waiting = Object.entries(watch.incomplete ?? {});
  const refused = Object.entries(watch.refused ?? {});
  return (
    <tr>
      <td>
        {watch.state === "online" ? <span class="good"><Icon name="check" size={16} /><span class="sr">online</span></span> : <span class={watch.state === "offline" ? "bad" : "faint"}><Icon name={watch.state === "offline" ? "warn" : "wait"} size={16} /> {watch.state}</span>}
      </td>
      <th scope="row">
        {watch.path}
        {watch.reason && <small class="bad">{watch.reason}</small>}
        {waiting.length > 0 && <small>{count(waiting.length, "file")} not complete: {waiting.slice(0, 3).map(([path, why]) => `${fileName(path)} (${why})`).join(", ")}</small>}
        {refused.length > 0 && <small>{count(refused.length, "file")} not taken: {refused.slice(0, 3).map(([path, why]) => `${fileName(path)} (${why.reason})`).join(", ")}</small>}
      </th>
      <td><a href={href("pipelines", watch.pipeline)}>{watch.pipeline}</a></td>
      <td class="num">{watch.files}</td>
      <td class="num faint wide">{watch.last_scan ? ago(watch.last_scan) : "\u2013"}</td>
    </tr>
  );
}

function Doctor() {
  const [times, setTimes] = useState(0);
  const found = useLoaded((abort) => maybe<{ is_healthy: boolean; checks: Check[] }>("/v1/doctor", abort), times);
  const checks = found.value?.checks ?? [];
  return (
    <Panel title="Doctor" aside={<Button icon="retry" kind="quiet" onClick={() => setTimes(times + 1)}>Check again</Button>} class="doctor">
      <div role="status">
        {found.error !== undefined && <Hint kind="bad">{reason(found.error)}</Hint>}
        {found.value === null && <p class="faint">This version of the program answers this on the command line: <code>wavemill doctor</code>.</p>}
        {found.value === undefined && found.error === undefined && <p class="faint">Checking{"\u2026"}</p>}
        {found.value && <Hint kind={found.value.is_healthy ? "good" : "bad"}>{found.value.is_healthy ? "This machine is fit for unattended work" : "Something will not work"}</Hint>}
      </div>
      <ul class="checks">
        {lines(checks).map((check, index) => {
          const isGood = check.verdict === "ok";
          return (
            <li key={index}>
              <span class={isGood ? "good" : check.verdict === "warn" ? "held" : "bad"}><Icon name={isGood ? "check" : "warn"} size={16} /><span class="sr">{check.verdict}</span></span>
              <strong>{check.check}</strong>
              <span>{check.found}{check.help && <small>{check.help}</small>}</span>
            </li>
          );
        })}
      </ul>
    </Panel>
  );
}

/** What needs attention is first; folders that are as they should be are one line. */
function lines(checks: Check[]): Check[] {
  const bad = checks.filter((it) => it.verdict !== "ok");
  const good = new Map<string, Check[]>();
  for (const check of checks) if (check.verdict === "ok") good.set(check.check, [...(good.get(check.check) ?? []), check]);
  const one = (same: Check[]): Check => (same.length === 1 ? same[0]! : { ...same[0]!, found: `${same.length} are as they should be`, help: null });
  return [...bad, ...[...good.values()].map(one)];
}

type Theme = "system" | "dark" | "light";

function Appearance() {
  const [theme, setTheme] = useState<Theme>((localStorage.getItem("theme") as Theme | null) ?? "system");
  const choose = (value: Theme) => {
    setTheme(value);
    if (value === "system") {
      localStorage.removeItem("theme");
      delete document.documentElement.dataset.theme;
    } else {
      localStorage.setItem("theme", value);
      document.documentElement.dataset.theme = value;
    }
  };
  return (
    <Panel title="Appearance">
      <Choices<Theme> label="Theme" value={theme} onChange={choose} options={[{ value: "system", label: "As the system" }, { value: "dark", label: "Dark" }, { value: "light", label: "Light" }]} />
    </Panel>
  );
}

function Control() {
  const [level, setLevel] = useState("info");
  const [confirm, ask] = useConfirm();
  const refused = status.value?.reload_refused;
  return (
    <Panel title="Control">
      {refused && <Hint kind="bad">The last reload was refused: {refused}</Hint>}
      <div class="row">
        <Button icon="retry" onClick={() => attempt(() => post("/v1/reload", {}), "Pipelines and settings are read again").then(() => setTimeout(() => void loadPipelines(), 800))}>Reload pipelines and settings</Button>
        <Select
          label="Log level"
          value={level}
          onChange={(value) => {
            setLevel(value);
            void attempt(() => post("/v1/log", { level: value }), `The log level is ${value}`);
          }}
          options={["error", "warn", "info", "debug", "trace"].map((it) => ({ value: it, label: it }))}
        />
        <Button icon="stop" kind="quiet" onClick={() => ask({ title: "Stop Wavemill?", text: "Running jobs are finished first. This page then no longer answers; start it again with `wavemill watch`.", verb: "Stop", act: () => void attempt(() => post("/v1/stop", {}), "Wavemill finishes what runs, then stops").then(refresh) })}>Stop</Button>
      </div>
      {confirm}
    </Panel>
  );
}

function Workers() {
  const now = status.value;
  const workers = now?.workers ?? [];
  return (
    <Panel title="Workers" aside={now?.confinement && <span class={now.confinement.level === "full" ? "good" : "held"}>confinement {now.confinement.level}</span>}>
      {now?.confinement?.reason && <p class="faint">{now.confinement.reason}</p>}
      <ul class="stack">
        {workers.map((worker, index) => (
          <li key={index} class="row between">
            <span>{worker.job ? <>runs <code>{worker.job}</code></> : "idle"}</span>
            <span class="faint">{count(worker.jobs_done, "job")}{worker.rss_bytes ? `, ${bytes(worker.rss_bytes)} of memory` : ""}</span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Hooks() {
  const hooks = status.value?.hooks ?? [];
  if (!hooks.length) return null;
  return (
    <Panel title="Notifications">
      <ul class="stack">
        {hooks.map((hook) => (
          <li key={hook.name}>
            <strong>{hook.name}</strong> <span class="faint">{hook.on.join(", ")}</span>
            {hook.waiting > 0 && <span class="held"> {hook.waiting} not delivered</span>}
            {hook.reason && <small class="bad"> {hook.reason}</small>}
          </li>
        ))}
      </ul>
    </Panel>
  );
}
