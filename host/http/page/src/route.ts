// Which view is shown: the part of the address after `#`.

import { computed, signal } from "@preact/signals";

const address = signal(location.hash);
window.addEventListener("hashchange", () => {
  address.value = location.hash;
});

/** The view's name and what it shows, as in `#/library/out%2Fa.wav`. */
export const route = computed(() => {
  const [, view = "", ...rest] = address.value.split("/");
  const [item = "", query = ""] = rest.join("/").split("?");
  return { view: view || "queue", item: decodeURIComponent(item), query: new URLSearchParams(query) };
});

export function href(view: string, item = "", query: Record<string, string> = {}): string {
  const search = new URLSearchParams(query).toString();
  return `#/${view}${item ? `/${encodeURIComponent(item)}` : ""}${search ? `?${search}` : ""}`;
}

export function go(view: string, item = "", query: Record<string, string> = {}) {
  location.hash = href(view, item, query);
}
