// Completion of pipeline files from their schema: sections, keys and values where the cursor is.

import type { Completion, CompletionContext, CompletionResult } from "@codemirror/autocomplete";

export interface Schema {
  type?: string;
  description?: string;
  properties?: Record<string, Schema>;
  items?: Schema;
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: { if?: Schema; then?: Schema }[];
  default?: unknown;
  minimum?: number;
  maximum?: number;
  required?: string[];
}

/** The section that a line is in: its name, and the text from its header on. */
function section(before: string): { name: string; text: string } {
  const headers = [...before.matchAll(/^\s*\[\[?\s*([\w.-]+)\s*\]\]?.*$/gm)];
  const last = headers.at(-1);
  return last ? { name: last[1]!, text: before.slice(last.index! + last[0].length) } : { name: "", text: before };
}

/** What is said about a key, with alternatives and conditions resolved as far as they depend on `values`. */
function properties(schema: Schema | undefined, values: Record<string, string>): Record<string, Schema> {
  if (!schema) return {};
  const found: Record<string, Schema> = { ...(schema.properties ?? {}) };
  for (const { if: condition, then } of schema.allOf ?? []) {
    const holds = Object.entries(condition?.properties ?? {}).every(([key, it]) =>
      it.const !== undefined ? values[key] === String(it.const) : (it.enum ?? []).map(String).includes(values[key] ?? ""),
    );
    if (holds) Object.assign(found, then?.properties ?? {});
  }
  return found;
}

function at(root: Schema, path: string): Schema | undefined {
  let schema: Schema | undefined = root;
  for (const name of path.split(".").filter(Boolean)) {
    schema = schema?.properties?.[name];
    if (schema?.items) schema = schema.items;
  }
  return schema;
}

/** Keys of the section that have a plain value already. */
function valuesOf(text: string): Record<string, string> {
  const values: Record<string, string> = {};
  for (const [, key, value] of text.matchAll(/^\s*([\w-]+)\s*=\s*"?([^"#\n]*?)"?\s*(?:#.*)?$/gm)) values[key!] = value!.trim();
  return values;
}

function choices(schema: Schema | undefined): unknown[] {
  if (!schema) return [];
  if (schema.type === "boolean") return [true, false];
  const own = schema.enum ?? (schema.const !== undefined ? [schema.const] : []);
  return [...own, ...[...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].flatMap(choices), ...(schema.items ? choices(schema.items) : [])];
}

function range(schema: Schema): string {
  const parts = [];
  if (schema.minimum !== undefined && schema.maximum !== undefined) parts.push(`${schema.minimum} to ${schema.maximum}`);
  if (schema.default !== undefined) parts.push(`default ${JSON.stringify(schema.default)}`);
  return parts.join(", ");
}

function keyOption(name: string, schema: Schema, isRequired: boolean): Completion {
  const isText = schema.type === "string" || choices(schema).some((it) => typeof it === "string");
  const isTable = schema.type === "object";
  const value = isTable ? "{  }" : isText && schema.type !== "array" ? '""' : "";
  return {
    label: name,
    type: "property",
    detail: range(schema) || (isRequired ? "required" : ""),
    info: schema.description,
    boost: isRequired ? 2 : 0,
    apply: (view, _completion, from, to) => {
      const text = `${name} = ${value}`;
      const anchor = from + text.length - (isTable ? 2 : value ? 1 : 0);
      view.dispatch({ changes: { from, to, insert: text }, selection: { anchor } });
    },
  };
}

export function complete(schema: Schema | null) {
  return (context: CompletionContext): CompletionResult | null => {
    if (!schema) return null;
    const before = context.state.sliceDoc(0, context.pos);
    const line = before.slice(before.lastIndexOf("\n") + 1);
    if (/^\s*#/.test(line)) return null;

    // A header: [pipe or [[st
    const header = /^\s*(\[\[?)([\w.-]*)$/.exec(line);
    if (header) {
      const isList = header[1] === "[[";
      const options = Object.entries(schema.properties ?? {})
        .filter(([, it]) => (it.type === "array") === isList && (it.type === "object" || it.type === "array"))
        .map(([name, it]): Completion => ({
          label: name,
          type: "class",
          info: it.description ?? it.items?.description,
          apply: (view, _completion, from, to) => {
            // The editor may have closed the brackets already.
            const closed = /^\]*/.exec(view.state.sliceDoc(to, to + 2))![0].length;
            const insert = name + (isList ? "]]" : "]");
            view.dispatch({ changes: { from, to: to + closed, insert }, selection: { anchor: from + insert.length } });
          },
        }));
      return { from: context.pos - header[2]!.length, options };
    }

    const { name, text } = section(before);
    // The section goes on below the cursor: what it uses may stand there.
    const rest = context.state.sliceDoc(context.pos).split(/^\s*\[/m)[0]!;
    const values = valuesOf(`${text}${rest}`);
    let known = properties(at(schema, name), values);

    // Within an inline table: the innermost one that is open.
    const open = /([\w-]+)\s*=\s*\{([^{}]*)$/.exec(line);
    const inner = open ? open[2]! : line;
    let required = at(schema, name)?.required ?? [];
    if (open) {
      required = known[open[1]!]?.required ?? [];
      known = properties(known[open[1]!], {});
    }

    // A value: key = "va
    const value = /([\w-]+)\s*=\s*(?:\[[^\]]*?)?("?)([\w.-]*)$/.exec(inner);
    if (value) {
      const quote = value[2]!;
      const options = choices(known[value[1]!]).map((it): Completion => {
        const isText = typeof it === "string";
        const after = context.state.sliceDoc(context.pos, context.pos + 1);
        return {
          label: String(it),
          type: isText ? "text" : "constant",
          apply: isText ? (quote ? `${it}${after === '"' ? "" : '"'}` : `"${it}"`) : String(it),
        };
      });
      return options.length ? { from: context.pos - value[3]!.length, options } : null;
    }

    // A key.
    const key = /(?:^|,|\{)\s*([\w-]*)$/.exec(inner) ?? (open ? /\s([\w-]*)$/.exec(inner) : null);
    if (!key || (!key[1] && !context.explicit && !open)) return null;
    const taken = new Set(Object.keys(open ? valuesOf(inner.replaceAll(",", "\n")) : values));
    const options = Object.entries(known)
      .filter(([it, its]) => !taken.has(it) && (name || its.type !== "object" && its.type !== "array"))
      .map(([it, its]) => keyOption(it, its, required.includes(it)));
    return { from: context.pos - key[1]!.length, options, validFor: /^[\w-]*$/ };
  };
}
