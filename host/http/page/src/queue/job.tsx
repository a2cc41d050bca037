// One job: its state in words, what can be done about it, and what it made.

import { useId, useState } from "preact/hooks";
import { contentUrl, get, post, reason, type Job, type JobState, type Output } from "../api";
import { ago, bytes, count, dateTime, extension, fileName, folderOf, wait } from "../format";
import { Icon, type IconName } from "../icons";
import { href } from "../route";
import { attempt, isOver, progressOf, refresh } from "../store";
import { Bar, Button, useLoaded } from "../ui";

const STATES: Record<JobState, { word: string; icon: IconName; kind: string }> = {
  ready: { word: "waiting", icon: "wait", kind: "faint" },
  running: { word: "running", icon: "play", kind: "signal" },
  prepared: { word: "finishing", icon: "play", kind: "signal" },
  published: { word: "finishing", icon: "play", kind: "signal" },
  retry: { word: "will try again", icon: "retry", kind: "held" },
  done: { word: "done", icon: "check", kind: "good" },
  rejected: { word: "rejected", icon: "warn", kind: "bad" },
  failed: { word: "failed", icon: "warn", kind: "bad" },
  skipped: { word: "skipped", icon: "skip", kind: "faint" },
  canceled: { word: "canceled", icon: "close", kind: "faint" },
};

export const AUDIO = ["wav", "flac", "mp3", "opus", "ogg", "aiff", "aif", "m4a", "w64", "caf", "mka"];
export const isAudio = (path: string) => AUDIO.includes(extension(path));

export function JobRow({ job }: { job: Job }) {
  const [isOpen, setOpen] = useState(false);
  const id = useId();
  const state = STATES[job.state] ?? STATES.ready;
  const name = fileName(job.input);
  const isRunning = ["running", "prepared", "published"].includes(job.state);
  const canRetry = ["failed", "rejected", "skipped", "canceled"].includes(job.state);
  const first = job.outputs.find((it) => it.is_published && it.kind === "export");
  const cancel = () => attempt(() => post("/v1/jobs/cancel", { ids: [job.id] }), `${name} is canceled`).then(refresh);
  const retry = () => attempt(() => post("/v1/jobs/retry", { ids: [job.id] }), `${name} runs again`).then(refresh);
  return (
    <li class={`job ${job.state}`}>
      <div class="job-line">
        <span class={`state ${state.kind}`}><Icon name={state.icon} /><span class="sr">{state.word}:</span></span>
        <div class="job-name">
          <button type="button" class="job-open" aria-expanded={isOpen} aria-controls={id} onClick={() => setOpen(!isOpen)}>
            <span class="clip">{name}</span>
          </button>
          <span class="job-sub">{job.pipeline}{about(job, state.word)}</span>
        </div>
        {isRunning ? <Running id={job.id} name={name} /> : <span class={`job-word ${state.kind}`}>{state.word}</span>}
        <span class="job-acts">
          {first && <a class="button quiet bare" href={href("library", first.path)} aria-label={`Listen to ${name}`} title="Listen"><Icon name="play" /></a>}
          {canRetry && <Button icon="retry" label={`Retry ${name}`} onClick={retry}>Retry</Button>}
          {!isOver(job.state) && <Button icon="close" kind="quiet" label={`Cancel ${name}`} onClick={cancel}>Cancel</Button>}
          <Button icon={isOpen ? "up" : "down"} kind="quiet" label={`${isOpen ? "Hide" : "Show"} details of ${name}`} aria-expanded={isOpen} onClick={() => setOpen(!isOpen)} />
        </span>
      </div>
      {job.reason && job.state !== "canceled" && <p class={`job-reason ${job.state === "skipped" ? "faint" : "bad"}`}>{job.reason}</p>}
      {job.waits && !isRunning && <p class="job-reason faint">{job.waits}</p>}
      <div id={id}>{isOpen && <Details job={job} />}</div>
    </li>
  );
}

function about(job: Job, _word: string): string {
  if (job.state === "done") {
    const made = job.outputs.filter((it) => it.is_published && it.kind !== "report").length;
    const took = job.started && job.finished ? (Date.parse(job.finished) - Date.parse(job.started)) / 1000 : null;
    const parts = [made ? count(made, "file") : "report", took != null ? wait(took) : "", job.finished ? ago(job.finished) : ""];
    return ` \u00b7 ${parts.filter(Boolean).join(" \u00b7 ")}`;
  }
  if (job.state === "retry" && job.retry_at) return ` \u00b7 attempt ${job.attempt + 1} in ${wait(Math.max(1, (Date.parse(job.retry_at) - Date.now()) / 1000))}`;
  if (isOver(job.state) && job.finished) return ` \u00b7 ${ago(job.finished)}`;
  return job.attempt > 1 ? ` \u00b7 attempt ${job.attempt}` : "";
}

/** Reads its own progress, so that no other row is drawn again. */
function Running({ id, name }: { id: string; name: string }) {
  const { share, left } = progressOf(id).value;
  return (
    <div class="job-progress">
      <Bar share={share} label={`Progress of ${name}`} />
      <span>{Math.floor(share * 100)} %{left != null && share < 1 ? `, ${wait(left)} left` : ""}</span>
    </div>
  );
}

function Details({ job }: { job: Job }) {
  return (
    <div class="job-details">
      <dl class="facts">
        <div><dt>Source</dt><dd>{job.input}</dd></div>
        {job.source_moved_to && <div><dt>Source is now</dt><dd>{job.source_moved_to}</dd></div>}
        <div><dt>Began</dt><dd>{dateTime(job.started)}</dd></div>
        <div><dt>Ended</dt><dd>{dateTime(job.finished)}</dd></div>
        <div><dt>Job</dt><dd><code>{job.id}</code>{job.attempt > 1 ? `, attempt ${job.attempt}` : ""}{job.batch ? `, batch ${job.batch}` : ""}</dd></div>
      </dl>
      {job.outputs.length > 0 && <Outputs outputs={job.outputs} />}
      <Log job={job} />
    </div>
  );
}

function Outputs({ outputs }: { outputs: Output[] }) {
  return (
    <div>
      <h3 class="label">Outputs <span class="as-is">in {folderOf(outputs[0]!.path)}</span></h3>
      <ul class="outputs">
        {outputs.map((output) => (
          <li key={output.path}>
            <Icon name={output.kind === "export" ? "library" : "page"} size={16} />
            {output.is_published && isAudio(output.path) ? (
              <a href={href("library", output.path)}>{fileName(output.path)}</a>
            ) : (
              <span>{fileName(output.path)}</span>
            )}
            <span class="faint">{output.skipped ?? bytes(output.size_bytes)}</span>
            {output.is_published && (
              <a class="faint" href={contentUrl(output.path)} download={fileName(output.path)}>Download<span class="sr"> {fileName(output.path)}</span></a>
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}

function Log({ job }: { job: Job }) {
  const [isShown, show] = useState(false);
  return (
    <div>
      {isShown ? <Lines id={job.id} key={job.state} /> : <Button icon="log" onClick={() => show(true)}>Log of this job</Button>}
    </div>
  );
}

function Lines({ id }: { id: string }) {
  const log = useLoaded((abort) => get<{ lines: unknown[] }>(`/v1/jobs/${id}/log`, abort), id);
  if (log.error) return <p class="faint">The log cannot be shown: {reason(log.error)}.</p>;
  const lines = (log.value?.lines ?? []).map((line) => (typeof line === "string" ? line : JSON.stringify(line)));
  return <pre class="log" tabIndex={0} aria-label="Log">{log.value ? lines.join("\n") || "No lines." : "\u2026"}</pre>;
}
