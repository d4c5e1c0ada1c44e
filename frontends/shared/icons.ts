import { h, type VNode } from "./dom.ts";

/** Outlines on a 24 x 24 grid, drawn with the colour of the text around them. */
const PATHS = {
  check: "M5 12.5l4.5 4.5L19 7.5",
  cross: "M6.5 6.5l11 11m0-11l-11 11",
  done: "M2 12.5l4.5 4.5L16 7.5m-3 9l1 .5L23 7.5",
  again: "M3.5 12.5l3.5 3.5 6-7M15 9.5l6 6m0-6l-6 6",
  late: "M7 3h10M7 21h10M8 3c0 5 8 5.5 8 9s-8 4-8 9M16 3c0 5-8 5.5-8 9s8 4 8 9",
  hand: "M8 13V6.5a1.5 1.5 0 0 1 3 0V11m0-6a1.5 1.5 0 0 1 3 0v6m0-4.5a1.5 1.5 0 0 1 3 0V14a7 7 0 0 1-7 7c-3 0-4.5-1.5-5.5-4L3.200 13a1.600 1.600 0 0 1 2.800-1.5L8 14",
  foreign: "M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14.5 14.5l5.5 5.5m0-5.5L14.5 20",
  send: "M20.5 3.5L10 14M20.5 3.5L14 20.5 10 14 3.5 10z",
  note: "M5 19l1-4L16 5l3 3L9 18zM14 7l3 3",
  info: "M12 11v5.5m0-9v.01M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z",
  list: "M9 6h11M9 12h11M9 18h11M4.5 6v.01m0 5.990v.01m0 5.990v.01",
  clock: "M12 7v5l3.5 2M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z",
  calendar: "M4 6h16v14H4zM4 10.5h16M8.5 3.5V8m7-4.5V8",
  alert:
    "M12 8.5v5m0 3v.01M10.3 4.4L2.9 17.2A2 2 0 0 0 4.6 20h14.8a2 2 0 0 0 1.7-2.8L13.7 4.4a2 2 0 0 0-3.4 0z",
  question:
    "M9 9a3 3 0 1 1 4.2 2.8c-.8.4-1.2 1-1.2 1.7v.5m0 3v.01M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z",
  offline:
    "M3 3l18 18M8.5 15.5a5 5 0 0 1 6.5-.5M5.3 12.2a10 10 0 0 1 4-2.4m4.6-.3a10 10 0 0 1 4.8 2.7M2.2 8.9A15 15 0 0 1 6 6.3m4.7-1.2a15 15 0 0 1 11.1 3.8M12 19v.01",
  wifi: "M2.5 9a14 14 0 0 1 19 0M5.5 12.5a9.5 9.5 0 0 1 13 0M8.5 16a5 5 0 0 1 7 0M12 19.5v.01",
  bank: "M3.5 9.5L12 4l8.5 5.5zM5 20h14M6.5 9.5V17m3.700-7.5V17m3.700-7.5V17m3.600-7.5V17",
  keyboard: "M3 6h18v12H3zM7 10v.01m3.300 0v.01m3.400 0v.01m3.300 0v.01M8 14h8",
  search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16 16l4.5 4.5",
  eye: "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6z",
  sound: "M4 9.5v5h3.5L12 19V5L7.5 9.5zM15.5 9a4.5 4.5 0 0 1 0 6m2.5-8.5a8 8 0 0 1 0 11",
  mute: "M4 9.5v5h3.5L12 19V5L7.5 9.5zM16 9.5l5 5m0-5l-5 5",
  pin: "M12 21s7-6.2 7-11a7 7 0 1 0-14 0c0 4.8 7 11 7 11zm0-8.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z",
  wallet: "M4 7.5A2.5 2.5 0 0 1 6.5 5H18v3M4 7.5V17a2 2 0 0 0 2 2h14V8H5M16.5 13.5v.01",
  back: "M11 5l-7 7 7 7M4.5 12H20",
  next: "M9 5l7 7-7 7",
  camera: "M4 8h3l2-2.5h6L17 8h3v11H4zM12 16.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7z",
  scan: "M4 8V5.5A1.5 1.5 0 0 1 5.5 4H8m8 0h2.5A1.5 1.5 0 0 1 20 5.5V8m0 8v2.5a1.5 1.5 0 0 1-1.5 1.5H16m-8 0H5.5A1.5 1.5 0 0 1 4 18.5V16M4 12h16",
  torch: "M8 3h8v4l-2 3v11h-4V10L8 7zM8 6.5h8M12 13v2",
  refresh: "M19.5 12a7.5 7.5 0 1 1-2.2-5.3L20 9M20 4v5h-5",
  out: "M10 4H5v16h5M9.5 12h11m-4.5-4.5l4.5 4.5-4.5 4.5",
  user: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20.5c1-4 4-5.5 7.5-5.5s6.5 1.5 7.5 5.5",
  link: "M14 4h6v6M20 4l-9 9M18 14v5a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V7a1 1 0 0 1 1-1h5",
  shield: "M12 3l7.5 3v5.5c0 4.5-3 8-7.5 9.5-4.5-1.5-7.5-5-7.5-9.5V6zM8.5 12l2.5 2.5 4.5-5",
  ticket: "M4 6h16v4a2 2 0 0 0 0 4v4H4v-4a2 2 0 0 0 0-4zM14.5 6v2.5m0 2.5v2m0 2.5V18",
  space: "M3 20h18M5 20V5l8-2v17M13 7h6v13M10 11.5v1",
  print: "M7 9V4h10v5M7 17H4V9h16v8h-3M7 14h10v6H7zM17 11.8v.01",
  access: "M14.5 14.5a5 5 0 1 0-4-4L4 17v3h3.5v-2.5H10V15l1.5-1.5M15.8 8.2v.01",
  discount:
    "M6 18L18 6M7.5 9.5a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM16.5 18.5a2 2 0 1 0 0-4 2 2 0 0 0 0 4z",
  partner: "M4 8.5h16V19H4zM9 8.5V6a1.5 1.5 0 0 1 1.5-1.5h3A1.5 1.5 0 0 1 15 6v2.5M4 13h16M12 12v2",
  digital:
    "M11 4l1.6 4.9a3 3 0 0 0 1.9 1.9L19.5 12.5l-5 1.7a3 3 0 0 0-1.9 1.9L11 21l-1.6-4.9a3 3 0 0 0-1.9-1.9L2.5 12.5l5-1.7a3 3 0 0 0 1.9-1.9zM19 3v4m2-2h-4",
} as const;

export type IconName = keyof typeof PATHS;

/** An icon without meaning of its own: hidden from screen readers, words stand beside it. */
export function icon(name: IconName, className = "icon"): VNode {
  return h(
    "svg",
    { class: className, viewBox: "0 0 24 24", "aria-hidden": "true", focusable: "false" },
    h("path", { d: PATHS[name] }),
  );
}

const FAMILIES: Readonly<Record<string, IconName>> = {
  1: "space",
  2: "print",
  3: "access",
  4: "discount",
  5: "partner",
  6: "digital",
};

/** The family of a voucher type by its id scheme: 1xxx space, 2xxx print … (spec: Catalogue). */
export function familyIcon(tokenId: number): IconName {
  return FAMILIES[String(Math.floor(tokenId / 1000))] ?? "ticket";
}

/** A turning ring while something is under way. */
export function spinner(className = "icon spinner"): VNode {
  return h(
    "svg",
    { class: className, viewBox: "0 0 24 24", "aria-hidden": "true", focusable: "false" },
    h("circle", { cx: 12, cy: 12, r: 9, class: "spinner-track" }),
    h("path", { d: "M12 3a9 9 0 0 1 9 9" }),
  );
}
