// Icons: strokes on a grid of 20, drawn for this page. Those without a label are beside words that say the same.

const PATHS = {
  queue: "M3 5h14M3 10h14M3 15h9",
  library: "M3 10h1.5M7 6v8M10.5 3.5v13M14 7v6M16.5 10H17",
  pipelines: "M3 6h4v8H3zM13 6h4v8h-4zM7 10h6",
  effects: "M5 3v8M5 15v2M10 3v2M10 9v8M15 3v7M15 14v3M3 13h4M8 7h4M13 12h4",
  system: "M3 6h7M14 6h3M3 14h3M10 14h7M12 4v4M8 12v4",
  play: "M6 4l10 6-10 6z",
  pause: "M6.5 4v12M13.5 4v12",
  stop: "M5 5h10v10H5z",
  retry: "M15.5 6.5A6.5 6.5 0 1 0 16.5 11M16 3v4h-4",
  close: "M5 5l10 10M15 5L5 15",
  check: "M4 10.5l4 4 8-9",
  warn: "M10 3.5L17.5 16.5h-15zM10 8.5v3.5M10 14.2v.3",
  wait: "M4 10h.1M10 10h.1M16 10h.1",
  skip: "M4 10h12",
  down: "M5 8l5 5 5-5",
  right: "M8 5l5 5-5 5",
  left: "M12 5l-5 5 5 5",
  drop: "M10 3v9M6 8.5l4 4 4-4M3 13v4h14v-4",
  download: "M10 3v10M6 9.5l4 4 4-4M4 17h12",
  log: "M5 3h10v14H5zM7.5 7h5M7.5 10h5M7.5 13h3",
  search: "M9 15A6 6 0 1 0 9 3a6 6 0 0 0 0 12zM13.5 13.5L17 17",
  folder: "M2.5 5h5l2 2h8v9h-15z",
  file: "M5 2.5h6l4 4v11H5zM11 2.5v4h4",
  mic: "M10 3a2.5 2.5 0 0 1 2.5 2.5v4a2.5 2.5 0 0 1-5 0v-4A2.5 2.5 0 0 1 10 3zM4.5 9.5a5.5 5.5 0 0 0 11 0M10 15v3",
  trash: "M4 6h12M8 6V4h4v2M6 6l.7 11h6.6L14 6",
  plus: "M10 4v12M4 10h12",
  minus: "M4 10h12",
  up: "M5 12l5-5 5 5",
  edit: "M4 16l.8-3.4L13 4.4l2.6 2.6-8.2 8.2z",
  page: "M5 2.5h10v15H5zM8 12.5V11M10 12.5V8M12 12.5v-3",
  compare: "M10 3v14M4 6h3v8H4zM13 6h3v8h-3z",
  moon: "M16 12A7 7 0 0 1 8 4a6.5 6.5 0 1 0 8 8z",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 18 }: { name: IconName; size?: number }) {
  const isSolid = name === "play" || name === "stop";
  return (
    <svg class={isSolid ? "icon solid" : "icon"} width={size} height={size} viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
