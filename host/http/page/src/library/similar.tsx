// References that sound like a file.

import { reason } from "../api";
import { useLoaded, Panel } from "../ui";
import { maybe } from "./analysis";

interface SimilarAnswer {
  similar: { reference: { name: string; artist: string | null; genre: string | null; path: string }; score: number; groups: { group: string; part: number }[] }[];
  searched: number;
}

export function Similar({ file }: { file: string }) {
  const found = useLoaded((abort) => maybe<SimilarAnswer>(`/v1/files/similar?file=${encodeURIComponent(file)}&top=5`, abort), file);
  if (found.value === null) return null;
  const list = found.value?.similar ?? [];
  return (
    <Panel title="References that sound like it" class="similar-panel">
      {found.error !== undefined && <p class="faint">{reason(found.error)}</p>}
      {found.value === undefined && found.error === undefined && <p class="faint">Comparing{"\u2026"}</p>}
      {found.value && !list.length && <p class="faint">There are no references yet. <code>wavemill references add FILE</code> keeps tracks to compare with.</p>}
      <ol class="similar">
        {list.map(({ reference, score, groups }) => (
          <li key={reference.name}>
            <span class="grow">
              <strong>{reference.name}</strong>{reference.artist && <span class="faint"> {reference.artist}</span>}
              <small>{groups.filter((it) => it.part > 0).slice(0, 3).map((it) => it.group).join(", ")}</small>
            </span>
            <meter min={-1} max={1} value={score} aria-label={`Similarity of ${reference.name}`} />
            <span class="num">{Math.round(score * 100)} %</span>
          </li>
        ))}
      </ol>
    </Panel>
  );
}
