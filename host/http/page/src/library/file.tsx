// One file: to listen to, beside what it was made of or another one, with its measures, and what can be done with it.

import { useMemo, useState } from "preact/hooks";
import { contentUrl, get, once, post, reason, type Job, type MadeFile, type Target } from "../api";
import { bytes, clock, count, dateTime, extension, fileName, folderOf, hertz, measure, signed } from "../format";
import { Icon } from "../icons";
import { isAudio } from "../queue/job";
import { go, href } from "../route";
import { attempt, filesChanged } from "../store";
import { Button, Empty, Hint, Panel, Select, useConfirm, useLoaded } from "../ui";
import { maybe, measured, type Analysis, type Loudness, type Report } from "./analysis";
import { BandsChart, LoudnessChart, SpectrumView } from "./charts";
import { Player, usePlayer, type Side } from "./player";
import { Similar } from "./similar";

interface Facts {
  file: MadeFile;
  siblings: MadeFile[];
  others: MadeFile[];
  job: Job | null;
  report: Report | null;
  /** The source, where the program gives it out. */
  source: string | null;
}

async function facts(path: string, abort: AbortSignal): Promise<Facts | null> {
  const { files } = await get<{ files: MadeFile[] }>("/v1/files?limit=5000", abort);
  const file = files.find((it) => it.path === path);
  if (!file) return null;
  const [job, report] = await Promise.all([
    // The file is shown with less where these are missing.
    file.job ? maybe<Job>(`/v1/jobs/${file.job}`, abort).catch(() => null) : null,
    maybe<Report>(`/v1/files/report?file=${encodeURIComponent(path)}`, abort).catch(() => null),
  ]);
  const candidates = job ? [`job:${job.id}`] : [];
  let source: string | null = null;
  for (const candidate of candidates) {
    const response = await fetch(contentUrl(candidate), { headers: { range: "bytes=0-0" }, signal: abort }).catch(() => null);
    if (response?.ok) {
      source = candidate;
      break;
    }
  }
  return { file, siblings: files.filter((it) => it.job && it.job === file.job), others: files.filter((it) => it.state === "present" && isAudio(it.path) && it.path !== path), job, report, source };
}

export function FileView({ path, other }: { path: string; other: string | null }) {
  const loaded = useLoaded((abort) => facts(path, abort), path);
  const name = fileName(path);
  if (loaded.error) return <div class="panel"><Hint kind="bad">{reason(loaded.error)}</Hint></div>;
  if (loaded.value === null) {
    return <div class="panel"><Empty icon="library" title={`${name} is not in the library`}><a href={href("library")}>All files</a></Empty></div>;
  }
  return (
    <>
      <div class="view-head">
        <h1><a class="back" href={href("library")}><Icon name="left" /><span class="sr">All files</span></a> {loaded.value?.file.tags.title || name}</h1>
        <div class="row">{loaded.value && <Actions facts={loaded.value} />}</div>
      </div>
      {loaded.value ? <Loaded key={other ?? ""} facts={loaded.value} other={other} /> : <div class="panel tall" />}
    </>
  );
}

function Actions({ facts: { file, siblings } }: { facts: Facts }) {
  const [confirm, ask] = useConfirm();
  const page = siblings.find((it) => extension(it.path) === "html" && it.state === "present");
  const name = fileName(file.path);
  const remove = () =>
    attempt(async () => {
      const answer = await post<{ deleted: string[]; kept: { reason: string }[] }>("/v1/files/delete", { paths: [file.path] });
      if (answer.kept[0]) throw new Error(`${name} stays: ${answer.kept[0].reason}`);
      filesChanged.value += 1;
      go("library");
    }, `${name} is deleted`);
  return (
    <>
      {page && <a class="button" href={contentUrl(page.path)} target="_blank" rel="noreferrer"><Icon name="page" />Report page</a>}
      <a class="button" href={contentUrl(file.path)} download={name}><Icon name="download" />Download</a>
      <Button icon="trash" kind="quiet" label={`Delete ${name}`} onClick={() => ask({ title: `Delete ${name}?`, text: `${file.path} is deleted from the disk. Files that somebody changed since they were made stay.`, verb: "Delete", act: remove })} />
      {confirm}
    </>
  );
}

function loudnessOf(analysis: Analysis | null, report: Report | null, path: string): Loudness | null {
  return analysis?.loudness ?? report?.outputs?.find((it) => it.path === path)?.loudness ?? null;
}

function Loaded({ facts: { file, siblings, others, job, report, source }, other: asked }: { facts: Facts; other: string | null }) {
  const rival = others.find((it) => it.path === asked) ?? null;
  const other = rival?.path ?? null;
  const before = other ?? source;
  const own = useLoaded((abort) => measured(file.path, abort), file.path);
  const theirs = useLoaded((abort) => (before ? measured(before, abort) : Promise.resolve({ analysis: null, history: null })), before ?? "");
  const loudness = loudnessOf(own.value?.analysis ?? null, report, file.path);
  const beforeLoudness = theirs.value?.analysis?.loudness ?? (other ? null : report?.loudness) ?? null;
  const beforeLabel = other ? "A" : "before";
  const ownLufs = loudness?.integrated_lufs ?? file.integrated_lufs;
  const beforeLufs = beforeLoudness?.integrated_lufs ?? rival?.integrated_lufs ?? null;
  const sides = useMemo((): Side[] => {
    const after: Side = { label: other ? fileName(file.path) : "After", file: file.path, lufs: ownLufs, duration: file.duration_s };
    if (!before) return [{ ...after, label: fileName(file.path) }];
    const duration = rival?.duration_s ?? theirs.value?.analysis?.input?.duration_s ?? report?.input?.duration_s ?? file.duration_s;
    return [{ label: other ? fileName(other) : "Before", file: before, lufs: beforeLufs, duration }, after];
  }, [file, before, ownLufs, beforeLufs, theirs.value]);
  const deck = usePlayer(sides);
  const targets = useLoaded(() => once<{ targets: Target[] }>("/v1/about/targets"), "").value?.targets ?? [];
  const [targetId, setTargetId] = useState(localStorage.getItem("target") ?? "");
  const target = targets.find((it) => it.id === targetId) ?? null;
  const analysis = own.value?.analysis ?? null;
  const history = own.value?.history ?? null;
  const bands = analysis?.bands ?? report?.outputs?.find((it) => it.path === file.path)?.bands ?? null;
  const beforeBands = theirs.value?.analysis?.bands ?? (other ? null : report?.bands) ?? null;
  const isMeasuring = own.value === undefined && own.error === undefined;
  return (
    <>
      <Player
        deck={deck}
        sides={sides}
        histories={before ? [theirs.value?.history ?? null, history] : [history]}
        aside={
          <Select
            label="Compare with"
            value={other ?? ""}
            onChange={(value) => go("library", file.path, value ? { with: value } : {})}
            options={[
              { value: "", label: source ? "its source" : "nothing" },
              ...others.slice(0, 300).map((it) => ({ value: it.path, label: `${fileName(it.path)} (${it.pipeline ?? folderOf(it.path)})` })),
            ]}
          />
        }
      />
      {asked && !rival && <div class="note"><Hint kind="bad">{fileName(asked)} is not in the library any more, so nothing is compared with it.</Hint></div>}
      {!before && job && <p class="faint note">Before and after need the source of this file, which is gone.</p>}
      <div class="file-grid">
        <Numbers
          loudness={loudness}
          file={file}
          before={before ? beforeLoudness : null}
          beforeLabel={beforeLabel}
          target={target}
          choice={
            <Select
              label="Target"
              hideLabel
              value={targetId}
              onChange={(value) => {
                setTargetId(value);
                localStorage.setItem("target", value);
              }}
              options={[{ value: "", label: "No target" }, ...targets.map((it) => ({ value: it.id, label: it.name }))]}
            />
          }
        />
        <Panel title="Loudness" class="loudness-panel">
          {history ? (
            <LoudnessChart deck={deck} history={history} other={theirs.value?.history ?? null} otherLabel={beforeLabel} target={target?.integrated_lufs ?? null} integrated={ownLufs} />
          ) : (
            <Pending isMeasuring={isMeasuring} />
          )}
        </Panel>
        <Panel title="Spectrum" class="spectrum-panel"><SpectrumView deck={deck} /></Panel>
        <Panel title="Bands" class="bands-panel">{bands?.length ? <BandsChart bands={bands} other={beforeBands} otherLabel={beforeLabel} /> : <Pending isMeasuring={isMeasuring} />}</Panel>
        <About file={file} siblings={siblings} job={job} report={report} analysis={analysis} />
        <Similar file={file.path} />
      </div>
    </>
  );
}

function Pending({ isMeasuring }: { isMeasuring: boolean }) {
  return <div class="pending faint">{isMeasuring ? "Measuring\u2026" : "Not measured. A pipeline with [report] measure = \"all\" measures everything."}</div>;
}

function verdict(loudness: Loudness, target: Target): { isGood: boolean; text: string }[] {
  const lines: { isGood: boolean; text: string }[] = [];
  const { integrated_lufs: lufs, true_peak_dbtp: peak, loudness_range_lu: range } = loudness;
  if (target.integrated_lufs != null && lufs != null) {
    const off = lufs - target.integrated_lufs;
    const tolerance = target.tolerance_lu;
    if (tolerance == null) lines.push({ isGood: true, text: Math.abs(off) < 0.05 ? "at the target" : `played ${Math.abs(off).toFixed(1)} dB ${off > 0 ? "quieter" : "louder, if the service raises levels"}` });
    else if (Math.abs(off) <= tolerance + 0.0005) lines.push({ isGood: true, text: "loudness within tolerance" });
    else lines.push({ isGood: false, text: `${Math.abs(off).toFixed(1)} LU too ${off > 0 ? "loud" : "quiet"}` });
  }
  if (target.true_peak_max_dbtp != null && peak != null) {
    const over = peak - target.true_peak_max_dbtp;
    lines.push(over > 0.0005 ? { isGood: false, text: `peaks ${over.toFixed(1)} dB too high` } : { isGood: true, text: "peaks within the limit" });
  }
  if (target.loudness_range_max_lu != null && range != null && range > target.loudness_range_max_lu) {
    lines.push({ isGood: false, text: `range ${(range - target.loudness_range_max_lu).toFixed(1)} LU too large` });
  }
  return lines;
}

const ROWS: { key: keyof Loudness; label: string; unit: string }[] = [
  { key: "true_peak_dbtp", label: "True peak", unit: "dBTP" },
  { key: "short_term_max_lufs", label: "Short-term max", unit: "LUFS" },
  { key: "momentary_max_lufs", label: "Momentary max", unit: "LUFS" },
  { key: "loudness_range_lu", label: "Range", unit: "LU" },
  { key: "peak_to_loudness_lu", label: "PLR", unit: "LU" },
  { key: "peak_to_short_term_lu", label: "PSR", unit: "LU" },
];

function Numbers(props: {
  loudness: Loudness | null;
  file: MadeFile;
  before: Loudness | null;
  beforeLabel: string;
  target: Target | null;
  choice: preact.ComponentChildren;
}) {
  const { before, target, file } = props;
  const loudness = props.loudness ?? ({ integrated_lufs: file.integrated_lufs, true_peak_dbtp: file.true_peak_dbtp } as Loudness);
  const lines = target ? verdict(loudness, target) : [];
  return (
    <Panel title="Integrated" class="numbers" aside={props.choice}>
      <p class="big"><span>{measure(loudness.integrated_lufs)}</span><span class="unit">LUFS</span>{before && <small>{props.beforeLabel} {measure(before.integrated_lufs)}</small>}</p>
      <div role="status" class="verdicts">
        {lines.map((line) => (
          <p key={line.text} class={`verdict ${line.isGood ? "good" : "bad"}`}><Icon name={line.isGood ? "check" : "warn"} size={16} />{line.text}</p>
        ))}
      </div>
      <dl class="measures">
        {ROWS.map(({ key, label, unit }) => (
          <div key={key}>
            <dt>{label}</dt>
            <dd>
              {before && <small class="was"><span class="sr">{props.beforeLabel} </span>{measure(before[key])}</small>}
              <span class={key === "true_peak_dbtp" && target?.true_peak_max_dbtp != null && (loudness[key] ?? -99) > target.true_peak_max_dbtp ? "num bad" : "num"}>{measure(loudness[key])}</span>
              <span class="unit">{unit}</span>
            </dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
}

function About({ file, siblings, job, report, analysis }: { file: MadeFile; siblings: MadeFile[]; job: Job | null; report: Report | null; analysis: Analysis | null }) {
  const facts: [string, preact.ComponentChildren][] = [
    ["File", <span class="break">{file.path}</span>],
    ["Size", bytes(file.size_bytes)],
    ["Made", `${dateTime(file.made)}${file.pipeline ? ` by ${file.pipeline}` : ""}`],
  ];
  const format = analysis?.input;
  if (format) facts.push(["Format", [format.format, format.bit_depth && `${format.bit_depth}-bit`, hertz(format.sample_rate_hz), count(format.channels, "channel"), clock(format.duration_s)].filter(Boolean).join(", ")]);
  if (job) facts.push(["Source", <span class="break">{job.source_moved_to ?? job.input}</span>]);
  if (analysis?.rhythm?.tempo_bpm) facts.push(["Tempo", `${analysis.rhythm.tempo_bpm.toFixed(1)} BPM`]);
  if (analysis?.tonality?.key) facts.push(["Key", `${analysis.tonality.key} (${analysis.tonality.camelot ?? ""})`]);
  if (analysis?.stereo?.width != null) facts.push(["Stereo", `width ${measure(analysis.stereo.width, 2)}, correlation ${measure(analysis.stereo.correlation, 2)}, balance ${signed(analysis.stereo.balance_db ?? 0)} dB`]);
  if (analysis?.level) facts.push(["Level", `RMS ${measure(analysis.level.rms_dbfs)} dBFS, crest factor ${measure(analysis.level.crest_factor_db)} dB, noise floor ${measure(analysis.level.noise_floor_dbfs)} dBFS`]);
  const gains = (report?.steps ?? []).flatMap((it) => (typeof it.findings?.gain_db === "number" ? [`${it.use ?? it.effect} ${signed(it.findings.gain_db)} dB`] : []));
  if (gains.length) facts.push(["Gain", gains.join(", ")]);
  const tags = Object.entries(file.tags);
  return (
    <Panel title="About this file" class="about-panel">
      <dl class="facts">{facts.map(([key, value]) => <div key={key}><dt>{key}</dt><dd>{value}</dd></div>)}</dl>
      {tags.length > 0 && (
        <dl class="facts tags">{tags.map(([key, value]) => <div key={key}><dt>{key.replaceAll("_", " ")}</dt><dd>{value}</dd></div>)}</dl>
      )}
      {siblings.length > 1 && (
        <>
          <h3 class="label">Made by the same job</h3>
          <ul class="outputs">
            {siblings.map((it) => (
              <li key={it.path}>
                <Icon name={isAudio(it.path) ? "library" : "page"} size={16} />
                {isAudio(it.path) ? <a href={href("library", it.path)} aria-current={it.path === file.path ? "true" : undefined}>{fileName(it.path)}</a> : <a href={contentUrl(it.path)} target="_blank" rel="noreferrer">{fileName(it.path)}</a>}
                <span class="faint">{bytes(it.size_bytes)}</span>
              </li>
            ))}
          </ul>
        </>
      )}
    </Panel>
  );
}
