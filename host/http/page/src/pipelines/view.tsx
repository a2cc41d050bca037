// Pipelines: cards of what runs, and the editor of one.

import { useState } from "preact/hooks";
import { post, type Pipeline } from "../api";
import { count } from "../format";
import { Icon } from "../icons";
import { href, route } from "../route";
import { attempt, jobs, loadPipelines, pipelines, refresh, status } from "../store";
import { choose } from "../queue/drop";
import { Button, Empty, useConfirm } from "../ui";
import { Flow } from "./card";
import { EditorPage } from "./editor-page";
import { describe } from "./model";

const NEW = `version = 1

[pipeline]
name = "my-pipeline"
description = "What it does, in one sentence."

[[watch]]
path = "inbox/my-pipeline"

[[step]]
use = "loudness"
with = { target_lufs = -16.0, ceiling_dbtp = -1.0, mode = "limit" }

[[export]]
format = "flac"
bit_depth = 24
path = "outbox/my-pipeline/{reldir}/{stem}.{ext}"
`;

export function PipelinesView() {
  const { item } = route.value;
  const list = pipelines.value;
  if (item) {
    if (!list) return <div class="panel tall" />;
    const found = list.find((it) => it.name === item);
    if (found || item === "new") return <EditorPage key={item} pipeline={found ?? { name: "my-pipeline", is_watched: false, text: NEW }} isNew={!found} />;
    return <div class="panel"><Empty icon="pipelines" title={`There is no pipeline ${item}`}><a href={href("pipelines")}>All pipelines</a></Empty></div>;
  }
  return (
    <>
      <div class="view-head">
        <h1>Pipelines</h1>
        <div class="row">
          <Button icon="retry" onClick={() => attempt(() => post("/v1/reload", {}), "Pipelines are read again").then(() => setTimeout(() => void loadPipelines(), 800))}>Reload</Button>
          <a class="button main" href={href("pipelines", "new")}><Icon name="plus" />New</a>
        </div>
      </div>
      <div class="cards">{(list ?? []).map((pipeline) => <Card key={pipeline.name} pipeline={pipeline} />)}</div>
      {list && !list.length && <div class="panel"><Empty icon="pipelines" title="No pipeline runs"><p>Start with <code>wavemill watch pipelines</code>, or write one here.</p></Empty></div>}
    </>
  );
}

function Card({ pipeline }: { pipeline: Pipeline }) {
  const about = describe(pipeline);
  const [confirm, ask] = useConfirm();
  const [isBusy, setBusy] = useState(false);
  const paused = status.value?.paused;
  const isPaused = paused?.all || paused?.pipelines.includes(pipeline.name);
  const watch = status.value?.watches.find((it) => it.pipeline === pipeline.name);
  const own = (jobs.value ?? []).filter((job) => job.pipeline === pipeline.name);
  const running = own.filter((job) => ["running", "prepared", "published"].includes(job.state)).length;
  const failed = own.filter((job) => job.state === "failed" || job.state === "rejected").length;
  const act = async (path: string, done: string) => {
    setBusy(true);
    await attempt(() => post(path, { pipeline: pipeline.name }), done);
    setBusy(false);
    refresh();
  };
  return (
    <article class="panel card" aria-labelledby={`card-${pipeline.name}`}>
      <header class="card-head">
        <h2 id={`card-${pipeline.name}`}><a href={href("pipelines", pipeline.name)}>{pipeline.name}</a></h2>
        <span class="card-state">
          {watch?.state === "offline" && <span class="bad"><Icon name="warn" size={14} /> folder cannot be read</span>}
          {isPaused && <span class="held"><Icon name="pause" size={14} /> paused</span>}
          {running > 0 && <span class="signal">{running} running</span>}
          {failed > 0 && <span class="bad"><Icon name="warn" size={14} /> {count(failed, "failure")}</span>}
        </span>
      </header>
      <p class="card-about">{about.description}</p>
      {about.mistake ? <p class="bad">{about.mistake}</p> : <Flow about={about} />}
      <footer class="row">
        <a class="button" href={href("pipelines", pipeline.name)}><Icon name="edit" />Open<span class="sr"> {pipeline.name}</span></a>
        <a class="button quiet" href={href("queue")} onClick={() => choose(pipeline.name)}>Add files<span class="sr"> to {pipeline.name}</span></a>
        <Button kind="quiet" disabled={isBusy || paused?.all} onClick={() => act(isPaused ? "/v1/jobs/resume" : "/v1/jobs/pause", isPaused ? `${pipeline.name} goes on` : `${pipeline.name} is paused`)}>
          {isPaused ? "Resume" : "Pause"}<span class="sr"> {pipeline.name}</span>
        </Button>
        <Button
          kind="quiet"
          disabled={isBusy}
          onClick={() =>
            ask({
              title: `Process all files of ${pipeline.name} again?`,
              text: "Each known file becomes a new job, with the pipeline as it is now. Outputs that nobody changed are replaced.",
              verb: "Process again",
              act: () => void act("/v1/jobs/reprocess", `Files of ${pipeline.name} are processed again`),
            })
          }
        >
          Process again<span class="sr">: {pipeline.name}</span>
        </Button>
      </footer>
      {confirm}
    </article>
  );
}
