// References: tracks that files are compared with.

import { useState } from "preact/hooks";
import { get, post, reason } from "../api";
import { ago, fileName } from "../format";
import { attempt } from "../store";
import { Button, Empty, Hint, Panel, useConfirm, useLoaded } from "../ui";

interface Reference {
  name: string;
  artist: string | null;
  genre: string | null;
  year: number | null;
  path: string;
  added: string;
  is_outdated: boolean;
}

export function References({ words }: { words: string[] }) {
  const [times, setTimes] = useState(0);
  const [confirm, ask] = useConfirm();
  const loaded = useLoaded((abort) => get<{ references: Reference[] }>("/v1/references?limit=1000", abort), times);
  const all = loaded.value?.references ?? [];
  const shown = all.filter((it) => {
    const text = `${it.name} ${it.artist ?? ""} ${it.genre ?? ""} ${it.year ?? ""}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
  const remove = (name: string) =>
    attempt(() => post("/v1/references/remove", { names: [name] }), `${name} is no longer a reference`).then(() => setTimes(times + 1));
  return (
    <Panel class="library">
      {loaded.error !== undefined && <Hint kind="bad">{reason(loaded.error)}</Hint>}
      {loaded.value && !shown.length ? (
        <Empty icon="library" title={all.length ? "Nothing matches" : "No references yet"}>
          <p>{all.length ? "Try fewer words." : <>Tracks that you want to sound like: <code>wavemill references add FILE</code> measures them. Files are then compared with them.</>}</p>
        </Empty>
      ) : (
        <table class="reference-table">
          <caption class="sr">References</caption>
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Artist</th>
              <th scope="col" class="wide">Genre</th>
              <th scope="col" class="num wide">Year</th>
              <th scope="col" class="num wide">Added</th>
              <th scope="col"><span class="sr">Remove</span></th>
            </tr>
          </thead>
          <tbody>
            {shown.map((it) => (
              <tr key={it.name}>
                <th scope="row">{it.name}<small class="clip">{fileName(it.path)}{it.is_outdated && <span class="bad">, outdated: add it again</span>}</small></th>
                <td>{it.artist ?? <span class="faint">{"\u2013"}</span>}</td>
                <td class="wide">{it.genre ?? <span class="faint">{"\u2013"}</span>}</td>
                <td class="num wide">{it.year ?? "\u2013"}</td>
                <td class="num wide faint">{ago(it.added)}</td>
                <td class="num"><Button icon="trash" kind="quiet" label={`Remove ${it.name}`} onClick={() => ask({ title: `Remove ${it.name}?`, text: "Files are no longer compared with it. Its own file stays where it is.", verb: "Remove", act: () => void remove(it.name) })} /></td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {confirm}
    </Panel>
  );
}
