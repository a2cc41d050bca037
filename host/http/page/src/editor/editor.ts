// The editor of pipelines: a file of its own, so that nobody loads it who does not edit.

import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap, startCompletion } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { HighlightStyle, StreamLanguage, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { toml } from "@codemirror/legacy-modes/mode/toml";
import { lintGutter, lintKeymap, setDiagnostics, type Diagnostic } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { EditorState, Text } from "@codemirror/state";
import { EditorView, drawSelection, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { complete, type Schema } from "./completion";

interface Mistake {
  is_error: boolean;
  message: string;
  help: string | null;
  from: number;
  to: number;
}

export interface Editor {
  show(mistakes: Mistake[]): void;
  reveal(mistake: Mistake): void;
  set(text: string): void;
  destroy(): void;
}

export interface EditorModule {
  mount: typeof mount;
}

interface Options {
  text: string;
  schema: unknown;
  label: string;
  onChange: (text: string) => void;
}

const colors = HighlightStyle.define([
  { tag: tags.comment, color: "var(--faint)" },
  { tag: [tags.propertyName, tags.atom, tags.bool], color: "var(--signal)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--good)" },
  { tag: tags.number, color: "var(--target)" },
  { tag: tags.bracket, color: "var(--text)", fontWeight: "500" },
]);

const look = EditorView.theme({
  "&": { color: "var(--text)", backgroundColor: "transparent", height: "100%", fontSize: "13.5px" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.55" },
  ".cm-content": { caretColor: "var(--text)", paddingBlock: "6px" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--selection)", opacity: "0.6" },
  ".cm-gutters": { backgroundColor: "transparent", color: "var(--faint)", border: "none" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--chosen)" },
  ".cm-selectionMatch": { backgroundColor: "var(--signal-soft)" },
  ".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy var(--bad)", textUnderlineOffset: "3px" },
  ".cm-lintRange-warning": { backgroundImage: "none", textDecoration: "underline wavy var(--held)", textUnderlineOffset: "3px" },
  ".cm-lint-marker-error": { content: "''", width: "8px", height: "8px", marginTop: "6px", borderRadius: "2px", background: "var(--bad)" },
  ".cm-lint-marker-warning": { content: "''", width: "8px", height: "8px", marginTop: "6px", borderRadius: "50%", background: "var(--held)" },
  ".cm-tooltip": { backgroundColor: "var(--button)", color: "var(--text)", border: "1px solid var(--edge)", borderRadius: "6px", overflow: "hidden" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", maxHeight: "16em" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "3px 10px" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--selection)", color: "var(--on-selection)" },
  ".cm-completionDetail": { fontStyle: "normal", color: "inherit", opacity: "0.85", fontSize: "12px" },
  ".cm-completionIcon": { display: "none" },
  ".cm-tooltip.cm-completionInfo": { padding: "8px 12px", maxWidth: "340px", fontFamily: "var(--font)" },
  ".cm-diagnostic": { padding: "6px 12px", border: "none", fontFamily: "var(--font)" },
  ".cm-diagnostic-error": { borderLeft: "3px solid var(--bad)" },
  ".cm-diagnostic-warning": { borderLeft: "3px solid var(--held)" },
  ".cm-panels": { backgroundColor: "var(--chosen)", color: "var(--text)" },
  ".cm-panels.cm-panels-bottom": { borderTop: "1px solid var(--grid)" },
  ".cm-textfield": { backgroundColor: "var(--ground)", border: "1px solid var(--edge)", color: "var(--text)" },
  ".cm-button": { backgroundImage: "none", backgroundColor: "var(--button-over)", color: "var(--text)", border: "none", borderRadius: "4px" },
});

/** The program counts characters, the editor counts units of UTF-16. */
function place(document: Text, characters: number): number {
  const text = document.toString();
  let units = 0;
  for (let seen = 0; seen < characters && units < text.length; seen += 1) units += text.codePointAt(units)! > 0xffff ? 2 : 1;
  return units;
}

function diagnostic(document: Text, mistake: Mistake): Diagnostic {
  const from = place(document, mistake.from);
  const to = Math.max(place(document, mistake.to), Math.min(from + 1, document.length));
  return {
    from: Math.min(from, document.length),
    to,
    severity: mistake.is_error ? "error" : "warning",
    message: mistake.help ? `${mistake.message}\n${mistake.help}` : mistake.message,
  };
}

/** Puts an editor into an element. Its styles are sheets of a shadow root: a style element would need an exception of the policy. */
export function mount(host: HTMLElement, options: Options): Editor {
  const root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: options.text,
      extensions: [
        lineNumbers(),
        lintGutter(),
        history(),
        drawSelection(),
        indentUnit.of("    "),
        StreamLanguage.define(toml),
        syntaxHighlighting(colors),
        closeBrackets(),
        autocompletion({ override: [complete(options.schema as Schema | null)], icons: false }),
        highlightActiveLine(),
        highlightActiveLineGutter(),
        highlightSelectionMatches(),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ "aria-label": options.label, tabindex: "0" }),
        // Tab leaves the editor: whoever has no mouse must get out. Ctrl-Space completes.
        keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, ...searchKeymap, ...completionKeymap, ...lintKeymap]),
        EditorView.updateListener.of((update) => {
          if (!update.docChanged) return;
          options.onChange(update.state.doc.toString());
          // After `key = "` the values are offered at once.
          const typed = update.state.sliceDoc(Math.max(0, update.state.selection.main.head - 3), update.state.selection.main.head);
          if (/= "$/.test(typed)) setTimeout(() => startCompletion(update.view));
        }),
        look,
      ],
    }),
  });
  return {
    show(mistakes) {
      view.dispatch(setDiagnostics(view.state, mistakes.map((it) => diagnostic(view.state.doc, it))));
    },
    reveal(mistake) {
      const anchor = Math.min(place(view.state.doc, mistake.from), view.state.doc.length);
      view.dispatch({ selection: { anchor }, effects: EditorView.scrollIntoView(anchor, { y: "center" }) });
      view.focus();
    },
    set(text) {
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
    },
    destroy() {
      view.destroy();
    },
  };
}
