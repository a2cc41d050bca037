// The shell: navigation, sign-in, messages, and the view that is asked for.

import { render } from "preact";
import { useEffect, useRef } from "preact/hooks";
import "./styles/index.css";
import { access } from "./api";
import { EffectsView } from "./effects/view";
import { wait } from "./format";
import { Icon, type IconName } from "./icons";
import { LibraryView } from "./library/view";
import { PipelinesView } from "./pipelines/view";
import { QueueView } from "./queue/view";
import { watchDrops } from "./queue/drop";
import { href, route } from "./route";
import { SignIn } from "./signin";
import { connection, jobs, message, progressOf, start, status, working } from "./store";
import { SystemView } from "./system/view";

const VIEWS: { name: string; label: string; icon: IconName; view: () => preact.JSX.Element }[] = [
  { name: "queue", label: "Queue", icon: "queue", view: QueueView },
  { name: "library", label: "Library", icon: "library", view: LibraryView },
  { name: "pipelines", label: "Pipelines", icon: "pipelines", view: PipelinesView },
  { name: "effects", label: "Effects", icon: "effects", view: EffectsView },
  { name: "system", label: "System", icon: "system", view: SystemView },
];

function Navigation({ current }: { current: string }) {
  return (
    <nav class="nav" aria-label="Views">
      {VIEWS.map(({ name, label, icon }) => (
        <a key={name} href={href(name)} aria-current={name === current ? "page" : undefined}>
          <Icon name={icon} />
          <span>{label}</span>
        </a>
      ))}
    </nav>
  );
}

/** What the program does right now, in one line. */
function Pulse() {
  const { running, waiting } = working.value;
  if (connection.value === "lost") return <span class="pulse bad"><Icon name="warn" size={16} /> No connection</span>;
  if (!status.value) return <span class="pulse" />;
  const paused = status.value.paused?.all;
  if (status.value.is_draining) return <span class="pulse">Finishing, then stopping</span>;
  if (paused) return <span class="pulse held"><Icon name="pause" size={16} /> Paused{waiting ? `, ${waiting} waiting` : ""}</span>;
  if (!running && !waiting) return <span class="pulse"><span class="dot" />Ready</span>;
  const lefts = (jobs.value ?? []).filter((job) => job.state === "running").map((job) => progressOf(job.id).value.left);
  const left = !waiting && lefts.length && lefts.every((it) => it != null) ? Math.max(...(lefts as number[])) : null;
  return (
    <span class="pulse">
      <span class="dot on" />
      {running ? `${running} running` : ""}
      {running && waiting ? ", " : ""}
      {waiting ? `${waiting} waiting` : ""}
      {left != null ? `, ${wait(left)} left` : ""}
    </span>
  );
}

function Messages() {
  const last = message.value;
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!last) return;
    const timer = setTimeout(() => {
      if (message.value === last) message.value = null;
    }, last.kind === "bad" ? 9000 : 4000);
    return () => clearTimeout(timer);
  }, [last]);
  return (
    <div class="messages" role="status" aria-live="polite" ref={box}>
      {last && (
        <div key={last.id} class={`message ${last.kind}`}>
          {last.kind !== "info" && <Icon name={last.kind === "bad" ? "warn" : "check"} size={16} />}
          <span>{last.text}</span>
          <button type="button" class="button quiet bare" aria-label="Dismiss" onClick={() => (message.value = null)}>
            <Icon name="close" size={14} />
          </button>
        </div>
      )}
    </div>
  );
}

function App() {
  const { view: name } = route.value;
  const shown = VIEWS.find((it) => it.name === name) ?? VIEWS[0]!;
  const main = useRef<HTMLElement>(null);
  const isFirst = useRef(true);
  useEffect(() => {
    document.title = `${shown.label} \u00b7 Wavemill`;
    // A screen reader hears where it is; the first view is read anyway.
    if (!isFirst.current) {
      main.current?.focus({ preventScroll: true });
      scrollTo(0, 0);
    }
    isFirst.current = false;
  }, [shown.name]);
  if (access.value === "denied") return <SignIn />;
  const View = shown.view;
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => {
        event.preventDefault();
        main.current?.focus();
      }}>Skip to content</a>
      <header class="top">
        <a class="brand" href={href("queue")}>Wavemill</a>
        <Navigation current={shown.name} />
        <Pulse />
      </header>
      <main id="main" tabIndex={-1} ref={main} aria-label={shown.label} key={shown.name}>
        <View />
      </main>
      <Messages />
      <DropVeil />
    </>
  );
}

/** While files are dragged over the page, all of it takes them. */
function DropVeil() {
  return (
    <div class="veil" aria-hidden="true">
      <div><Icon name="drop" size={40} /><p>Drop to add to the queue</p></div>
    </div>
  );
}

start();
watchDrops();
render(<App />, document.getElementById("app")!);
