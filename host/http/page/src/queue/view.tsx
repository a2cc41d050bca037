// The queue: what comes in, what runs, what went wrong.

import { useComputed } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { post } from "../api";
import { bytes, count, wait } from "../format";
import { FAILED, attempt, hasOlderJobs, isOver, jobs, jobsLimit, refresh, status, working } from "../store";
import { Bar, Button, Choices, Empty, Hint, Panel, Select } from "../ui";
import { DropPanel } from "./drop";
import { JobRow } from "./job";
import { findUnfinished, forget, goOn, pause, unfinished, uploads, type Upload } from "./uploads";

type Filter = "all" | "active" | "failed" | "done";

export function QueueView() {
  useEffect(() => {
    void findUnfinished();
  }, []);
  return (
    <>
      <DropPanel />
      <Uploads />
      <Warnings />
      <Jobs />
    </>
  );
}

function Uploads() {
  const list = uploads.value;
  const earlier = unfinished.value;
  if (!list.length && !earlier.length) return null;
  const total = list.reduce((sum, it) => sum + it.file.size, 0);
  const sent = list.reduce((sum, it) => sum + it.sent.value, 0);
  const rate = list.reduce((sum, it) => sum + (it.state.value === "sending" ? it.rate.value : 0), 0);
  return (
    <Panel
      title="Uploads"
      aside={list.length ? (
        <span class="faint">
          {bytes(sent)} of {bytes(total)}
          {rate ? `, ${bytes(rate)}/s, ${wait((total - sent) / rate)} left` : ""}
        </span>
      ) : null}
    >
      {earlier.length > 0 && (
        <Hint>
          {count(earlier.length, "upload")} of an earlier visit {earlier.length === 1 ? "is" : "are"} not complete:{" "}
          {earlier.slice(0, 3).map((it) => it.name).join(", ")}{earlier.length > 3 ? ", \u2026" : ""}. Drop the same files again and
          they go on where they stopped.
        </Hint>
      )}
      <ul class="uploads">
        {list.slice(0, 50).map((upload) => <UploadRow key={upload.key} upload={upload} />)}
      </ul>
      {list.length > 50 && <p class="faint">and {count(list.length - 50, "more file")}</p>}
    </Panel>
  );
}

function UploadRow({ upload }: { upload: Upload }) {
  const state = upload.state.value;
  const share = upload.file.size ? upload.sent.value / upload.file.size : 1;
  const words = {
    waiting: "waits",
    sending: `${Math.floor(share * 100)} %`,
    paused: `paused at ${Math.floor(share * 100)} %`,
    retrying: upload.note.value,
    submitting: "adding to the queue",
    failed: upload.note.value,
  }[state];
  return (
    <li class={`upload ${state}`}>
      <span class="clip grow">{upload.folder && <span class="faint">{upload.folder}/</span>}{upload.file.name}</span>
      <span class={state === "failed" ? "bad" : "faint"}>{words}</span>
      <span class="row">
        {state === "sending" && <Button icon="pause" kind="quiet" label={`Pause ${upload.file.name}`} onClick={() => pause(upload)} />}
        {(state === "paused" || state === "failed") && (
          <Button icon={state === "failed" ? "retry" : "play"} kind="quiet" label={`Continue ${upload.file.name}`} onClick={() => goOn(upload)} />
        )}
        <Button icon="close" kind="quiet" label={`Do not send ${upload.file.name}`} onClick={() => forget(upload)} />
      </span>
      <Bar share={share} label={`Upload of ${upload.file.name}`} kind={state === "failed" ? "bad" : ""} />
    </li>
  );
}

/** What keeps jobs from beginning. */
function Warnings() {
  const now = status.value;
  if (!now) return null;
  const lines = [
    ...Object.entries(now.shortages ?? {}).map(([name, why]) => `${name} waits for free space: ${why}`),
    ...Object.entries(now.unwatched ?? {}).map(([name, n]) => `${count(n, "job")} wait for the pipeline ${name}, which does not run`),
    ...(now.watches ?? []).filter((it) => it.state === "offline").map((it) => `The folder of ${it.pipeline} cannot be read: ${it.reason ?? it.path}`),
    ...(now.reload_refused ? [`Pipelines were not reloaded: ${now.reload_refused}`] : []),
  ];
  if (!lines.length) return null;
  return <div class="panel warnings">{lines.map((line) => <Hint key={line} kind="bad">{line}</Hint>)}</div>;
}

function Jobs() {
  const [filter, setFilter] = useState<Filter>("all");
  const [pipeline, setPipeline] = useState("");
  const all = jobs.value;
  const counts = useComputed(() => ({
    active: working.value.running + working.value.waiting,
    failed: working.value.failed,
    done: working.value.done,
  })).value;
  const shown = (all ?? []).filter((job) => {
    if (pipeline && job.pipeline !== pipeline) return false;
    if (filter === "active") return !isOver(job.state);
    if (filter === "failed") return FAILED.includes(job.state);
    return filter === "all" || job.state === "done";
  });
  // What runs is on top, then what waits in its order, then what is over.
  const rank = (state: string) => (["running", "prepared", "published"].includes(state) ? 0 : state === "retry" ? 1 : state === "ready" ? 2 : 3);
  const sorted = shown.slice().sort((a, b) => rank(a.state) - rank(b.state) || b.created.localeCompare(a.created));
  const paused = status.value?.paused?.all ?? false;
  const names = [...new Set((all ?? []).map((job) => job.pipeline))].sort();
  return (
    <Panel
      title="Jobs"
      class="jobs"
      aside={
        <>
          <Choices<Filter>
            label="Which jobs"
            value={filter}
            onChange={setFilter}
            options={[
              { value: "all", label: "All" },
              { value: "active", label: "Active", badge: counts.active },
              { value: "failed", label: "Failed", badge: counts.failed },
              { value: "done", label: "Done", badge: counts.done },
            ]}
          />
          <Select
            label="Jobs of"
            hideLabel
            value={pipeline}
            onChange={setPipeline}
            options={[{ value: "", label: "All pipelines" }, ...names.map((name) => ({ value: name, label: name }))]}
          />
          {counts.failed > 0 && filter === "failed" && (
            <Button icon="retry" onClick={() => attempt(() => post("/v1/jobs/retry", { all: true }), "All failed jobs run again").then(refresh)}>
              Retry all
            </Button>
          )}
          <Button
            icon={paused ? "play" : "pause"}
            onClick={() =>
              attempt(() => post(paused ? "/v1/jobs/resume" : "/v1/jobs/pause", {}), paused ? "Jobs begin again" : "No new job begins; running jobs go on").then(refresh)
            }
          >
            {paused ? "Resume" : "Pause"}
          </Button>
        </>
      }
    >
      {all && !sorted.length ? (
        <Empty icon="queue" title={all.length ? "No jobs here" : "Nothing to do yet"}>
          {!all.length && <p>Drop audio above, or into a watched folder. Each file becomes a job, and what is made is in the library.</p>}
        </Empty>
      ) : (
        <ul class="job-list">{sorted.map((job) => <JobRow key={job.id} job={job} />)}</ul>
      )}
      {hasOlderJobs.value && (
        <Button
          onClick={() => {
            jobsLimit.value *= 5;
            refresh();
          }}
        >
          Show older jobs
        </Button>
      )}
    </Panel>
  );
}
