// Parts that all views are made of.

import type { ButtonHTMLAttributes, ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { Icon, type IconName } from "./icons";

type ButtonProps = {
  icon?: IconName;
  /** Said to screen readers instead of the words, and shown where there is only an icon. */
  label?: string;
  kind?: "plain" | "main" | "quiet" | "danger";
  children?: ComponentChildren;
} & Omit<ButtonHTMLAttributes<HTMLButtonElement>, "icon" | "label" | "kind" | "children" | "ref" | "role">;

export function Button({ icon, label, kind = "plain", children, ...rest }: ButtonProps) {
  const isBare = icon && !children;
  return (
    <button type="button" class={`button ${kind}${isBare ? " bare" : ""}`} aria-label={label} title={isBare ? label : undefined} {...rest}>
      {icon && <Icon name={icon} />}
      {children}
    </button>
  );
}

export function Panel(props: {
  title?: string;
  aside?: ComponentChildren;
  children: ComponentChildren;
  class?: string;
  level?: 2 | 3;
}) {
  const id = useId();
  const Heading = `h${props.level ?? 2}` as "h2";
  return (
    <section class={`panel ${props.class ?? ""}`} aria-labelledby={props.title ? id : undefined}>
      {(props.title || props.aside) && (
        <header class="panel-head">
          {props.title && <Heading id={id}>{props.title}</Heading>}
          {props.aside && <div class="aside">{props.aside}</div>}
        </header>
      )}
      {props.children}
    </section>
  );
}

/** One of a few: looks as the plugin's rows of choices. */
export function Choices<T extends string>(props: {
  label: string;
  value: T;
  options: readonly { value: T; label: string; badge?: number }[];
  onChange: (value: T) => void;
}) {
  return (
    <div class="choices" role="group" aria-label={props.label}>
      {props.options.map((option) => (
        <button
          type="button"
          key={option.value}
          aria-pressed={option.value === props.value}
          onClick={() => props.onChange(option.value)}
        >
          {option.label}
          {option.badge ? <span class="badge">{option.badge.toLocaleString("en-US")}</span> : null}
        </button>
      ))}
    </div>
  );
}

export function Select<T extends string>(props: {
  label: string;
  value: T;
  options: readonly { value: T; label: string }[];
  onChange: (value: T) => void;
  hideLabel?: boolean;
  id?: string;
}) {
  return (
    <label class="field">
      <span class={props.hideLabel ? "sr" : ""}>{props.label}</span>
      <span class="select">
        <select id={props.id} value={props.value} onChange={(event) => props.onChange(event.currentTarget.value as T)}>
          {props.options.map((option) => (
            <option key={option.value} value={option.value}>{option.label}</option>
          ))}
        </select>
        <Icon name="down" size={14} />
      </span>
    </label>
  );
}

export function Bar({ share, label, kind = "" }: { share: number | null; label: string; kind?: string }) {
  const percent = share == null ? undefined : Math.round(share * 100);
  return (
    <div class={`bar ${kind}${share == null ? " unknown" : ""}`} role="progressbar" aria-label={label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={percent}>
      <span style={{ transform: `scaleX(${share ?? 0.3})` }} />
    </div>
  );
}

export function Empty({ icon, title, children }: { icon: IconName; title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <Icon name={icon} size={28} />
      <p class="empty-title">{title}</p>
      {children}
    </div>
  );
}

/** A dialog that the keyboard stays in, and that Escape closes. */
export function Dialog(props: { title: string; onClose: () => void; children: ComponentChildren; wide?: boolean }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const element = dialog.current!;
    element.showModal();
    return () => element.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      class={props.wide ? "wide" : ""}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        props.onClose();
      }}
      onClick={(event) => {
        if (event.target === dialog.current) props.onClose();
      }}
    >
      <div class="dialog-body">
        <header class="panel-head">
          <h2 id={id}>{props.title}</h2>
          <Button icon="close" kind="quiet" label="Close" onClick={props.onClose} />
        </header>
        {props.children}
      </div>
    </dialog>
  );
}

/** Asks before what cannot be undone. */
export function useConfirm(): [ComponentChildren, (question: Question) => void] {
  const [question, ask] = useState<Question | null>(null);
  const shown = question && (
    <Dialog title={question.title} onClose={() => ask(null)}>
      <p>{question.text}</p>
      <div class="row end">
        <Button onClick={() => ask(null)}>Keep</Button>
        <Button
          kind="danger"
          onClick={() => {
            ask(null);
            question.act();
          }}
        >
          {question.verb}
        </Button>
      </div>
    </Dialog>
  );
  return [shown, ask];
}

export interface Question {
  title: string;
  text: string;
  verb: string;
  act: () => void;
}

/** Something that is asked for when shown, and again when `key` changes. */
export function useLoaded<T>(load: (abort: AbortSignal) => Promise<T>, key: unknown): { value?: T; error?: unknown } {
  const [state, set] = useState<{ key?: unknown; value?: T; error?: unknown }>({});
  useEffect(() => {
    const abort = new AbortController();
    load(abort.signal).then(
      (value) => abort.signal.aborted || set({ key, value }),
      (error) => abort.signal.aborted || set({ key, error }),
    );
    return () => abort.abort();
  }, [key]);
  return state.key === key ? state : {};
}

/** The width of an element, for what is drawn in it. */
export function useWidth<E extends HTMLElement>(): [{ current: E | null }, number] {
  const element = useRef<E>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry!.contentRect.width)));
    observer.observe(element.current!);
    return () => observer.disconnect();
  }, []);
  return [element, width];
}

/** Colors of the theme, for canvases; read again when the theme changes. */
export function colorsOf(element: Element) {
  const style = getComputedStyle(element);
  const color = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return {
    signal: color("signal"),
    good: color("good"),
    bad: color("bad"),
    held: color("held"),
    target: color("target"),
    text: color("text"),
    faint: color("faint"),
    grid: color("grid"),
    ground: color("ground"),
    panel: color("panel"),
    rest: color("rest"),
  };
}

export function useTheme(): number {
  const [version, set] = useState(0);
  useEffect(() => {
    const changed = () => set((it) => it + 1);
    const media = matchMedia("(prefers-color-scheme: dark)");
    media.addEventListener("change", changed);
    const observer = new MutationObserver(changed);
    observer.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    return () => {
      media.removeEventListener("change", changed);
      observer.disconnect();
    };
  }, []);
  return version;
}

export function Hint({ children, kind = "info" }: { children: ComponentChildren; kind?: "info" | "bad" | "good" }) {
  return (
    <p class={`hint ${kind}`}>
      {kind !== "info" && <Icon name={kind === "bad" ? "warn" : "check"} size={16} />}
      <span>{children}</span>
    </p>
  );
}
