// A pipeline as people read it: folder, steps, outputs.

import { Icon } from "../icons";
import type { Description } from "./model";

export function Flow({ about }: { about: Description }) {
  return (
    <div class="flow">
      <div class="flow-part">
        <h3 class="label">From</h3>
        {about.folders.length ? (
          <ul>{about.folders.map((folder) => <li key={folder}><Icon name="folder" size={16} /><span>{folder}</span></li>)}</ul>
        ) : (
          <p class="faint">files that are submitted</p>
        )}
        <Requirements title="Only files with" list={about.requirements.input} />
      </div>
      <span class="flow-arrow"><Icon name="right" size={16} /></span>
      <div class="flow-part">
        <h3 class="label">Steps</h3>
        {about.steps.length ? (
          <ol>
            {about.steps.map((step, index) => (
              <li key={index} class="flow-step">
                <span class="flow-number">{index + 1}</span>
                <span>
                  <strong>{step.name}</strong>
                  {step.preset && <span class="faint"> preset {step.preset}</span>}
                  {step.settings.length > 0 && <span class="faint flow-settings">{step.settings.join(", ")}</span>}
                  {step.condition && <span class="faint flow-settings">if {step.condition}</span>}
                </span>
              </li>
            ))}
          </ol>
        ) : (
          <p class="faint">none: the audio stays as it is</p>
        )}
      </div>
      <span class="flow-arrow"><Icon name="right" size={16} /></span>
      <div class="flow-part">
        <h3 class="label">To</h3>
        <ul>
          {about.outputs.map((output, index) => (
            <li key={index} class="flow-step" title={output.path}>
              <Icon name={output.title.startsWith("Report") || output.title === "Chapters" ? "page" : "library"} size={16} />
              <span><strong>{output.title}</strong> <span class="faint">{output.detail}</span></span>
            </li>
          ))}
          {!about.outputs.length && <li class="faint">nothing</li>}
        </ul>
        <Requirements title="Rejected unless" list={about.requirements.output} />
        {about.after.length > 0 && <p class="faint flow-note">{about.after.join("; ")}</p>}
      </div>
    </div>
  );
}

function Requirements({ title, list }: { title: string; list: string[] }) {
  if (!list.length) return null;
  return (
    <div class="faint flow-note">
      {title}
      <ul>{list.map((it) => <li key={it}>{it}</li>)}</ul>
    </div>
  );
}
