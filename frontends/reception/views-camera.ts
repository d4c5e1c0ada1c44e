import { type Child, h, type VNode } from "../shared/dom.ts";
import { icon, spinner } from "../shared/icons.ts";
import type { Desk } from "./desk.ts";
import type { ScannerState } from "./scanner.ts";
import { kbd, keepFocus } from "./views-parts.ts";

/** Troubles that trying again cannot mend. */
const LASTING: readonly ScannerState["phase"][] = ["insecure", "unsupported"];

/** Where the desk looks for codes: the button that opens the camera, or what the camera sees. */
export function cameraPanel(desk: Desk): VNode {
  return desk.state.camera.phase === "off" ? scanButton(desk) : finder(desk, desk.state.camera);
}

function scanButton(desk: Desk): VNode {
  return h(
    "button",
    {
      type: "button",
      key: "scan",
      class: "button primary scan",
      "data-testid": "camera",
      onclick: () => desk.openCamera(),
    },
    icon("scan"),
    h("span", null, desk.words.text("desk.scan"), kbd("camera")),
  );
}

function finder(desk: Desk, camera: ScannerState): VNode {
  const { words } = desk;
  const { phase } = camera;
  const close = () => {
    desk.stopCamera();
    keepFocus();
  };
  const trouble = phase === "on" || phase === "starting" || phase === "off" ? null : phase;
  return h(
    "section",
    {
      class: trouble ? "camera troubled" : "camera",
      key: "finder",
      "data-testid": "camera-view",
      "data-camera": phase,
      "aria-label": words.text("desk.scan"),
    },
    h("video", {
      muted: true,
      playsinline: true,
      mounted: (video: HTMLVideoElement) => {
        keepFocus();
        void desk.runCamera(video);
      },
    }),
    !trouble && h("div", { class: "viewfinder", "aria-hidden": "true" }),
    h(
      "p",
      { class: "camera-text", role: "status" },
      trouble && icon("alert"),
      phase === "starting" && spinner(),
      h(
        "span",
        null,
        words.text(
          trouble ? `camera.${trouble}` : phase === "starting" ? "camera.starting" : "camera.title",
        ),
      ),
    ),
    h(
      "div",
      { class: "camera-buttons" },
      trouble
        ? !LASTING.includes(trouble) &&
            button("camera-retry", words.text("retry"), "refresh", () => desk.scanner.retry())
        : [cameraChoice(desk, camera), light(desk, camera)],
      button("camera-cancel", words.text("camera.close"), "cross", close, {
        class: "button quiet close",
        "aria-label": words.text("camera.close"),
      }),
    ),
  );
}

function light(desk: Desk, { torch }: ScannerState): Child {
  if (torch === null) return null;
  const press = () => desk.scanner.switchTorch();
  return button("torch", desk.words.text("camera.torch"), "torch", press, {
    "aria-pressed": String(torch),
  });
}

function cameraChoice(desk: Desk, { cameras, deviceId }: ScannerState): Child {
  if (cameras.length < 2) return null;
  const { words } = desk;
  return h(
    "label",
    { class: "button quiet choice" },
    icon("camera"),
    h("span", { class: "hidden" }, words.text("camera.choice")),
    h(
      "select",
      {
        "data-testid": "camera-choice",
        value: deviceId ?? "",
        onchange: (event: Event) => desk.scanner.choose((event.target as HTMLSelectElement).value),
      },
      cameras.map(({ deviceId: id, label }, at) =>
        h("option", { value: id }, label || `${words.text("camera.choice")} ${at + 1}`),
      ),
    ),
  );
}

function button(
  testid: string,
  label: string,
  name: "refresh" | "cross" | "torch",
  onclick: () => unknown,
  props: Record<string, unknown> = {},
): VNode {
  return h(
    "button",
    {
      type: "button",
      key: testid,
      class: "button quiet",
      "data-testid": testid,
      onclick,
      ...props,
    },
    icon(name),
    h("span", { class: "camera-label" }, label),
  );
}
