/**
 * A page described as data and patched into the document.
 *
 * `h` describes, `render` makes the document match while keeping focus, selection and what was
 * typed. There is no way to set HTML text or inline handlers, so the strict content security
 * policy holds by construction.
 */

const SVG = "http://www.w3.org/2000/svg";
const AS_PROPERTY = new Set(["value", "checked", "srcObject"]);

type Handler = (event: never) => unknown;

/** Attributes by name, handlers as `onclick: fn`; `null` and `false` leave an attribute out. */
export interface Props {
  /** Elements of different keys are never turned into each other. */
  readonly key?: string;
  /** Called once with the new element after it is in the document. */
  readonly mounted?: (element: never) => void;
  readonly [name: string]: unknown;
}

/** One element as data. */
export interface VNode {
  readonly tag: string;
  readonly props: Props;
  readonly children: readonly (VNode | string)[];
}

/** Whatever may stand between two elements; nothing is shown for false, null and undefined. */
export type Child = VNode | string | number | false | null | undefined | readonly Child[];

const rendered = new WeakMap<Node, readonly (VNode | string)[]>();
const described = new WeakMap<Node, VNode>();

/** Describes one element. */
export function h(tag: string, props: Props | null, ...children: Child[]): VNode {
  return { tag, props: props ?? {}, children: flatten(children) };
}

/** Makes the children of `parent` match the description, reusing what is there. */
export function render(parent: Element, ...children: Child[]): void {
  const mounts: (() => void)[] = [];
  patchChildren(parent, flatten(children), mounts);
  for (const mount of mounts) mount();
}

function flatten(children: readonly Child[]): (VNode | string)[] {
  const flat: (VNode | string)[] = [];
  for (const child of children) {
    // What is left out keeps its place as an empty text, so that its neighbours stay themselves.
    if (child === null || child === undefined || child === false) flat.push("");
    else if (Array.isArray(child)) flat.push(...flatten(child));
    else if (typeof child === "number") flat.push(String(child));
    else flat.push(child as VNode | string);
  }
  return flat;
}

function same(a: VNode | string | undefined, b: VNode | string): boolean {
  if (a === undefined || typeof a === "string" || typeof b === "string") {
    return typeof a === "string" && typeof b === "string";
  }
  return a.tag === b.tag && a.props.key === b.props.key;
}

function patchChildren(
  parent: Node,
  next: readonly (VNode | string)[],
  mounts: (() => void)[],
): void {
  const previous = rendered.get(parent) ?? [];
  for (const [at, wanted] of next.entries()) {
    const node = parent.childNodes[at];
    if (node && same(previous[at], wanted)) {
      if (typeof wanted !== "string") patch(node as Element, wanted, mounts);
      else if (node.nodeValue !== wanted) node.nodeValue = wanted;
    } else {
      const made = create(wanted, parent, mounts);
      if (node) parent.replaceChild(made, node);
      else parent.appendChild(made);
    }
  }
  while (parent.childNodes.length > next.length) parent.lastChild?.remove();
  rendered.set(parent, next);
}

function create(wanted: VNode | string, parent: Node, mounts: (() => void)[]): Node {
  if (typeof wanted === "string") return document.createTextNode(wanted);
  const inSvg = wanted.tag === "svg" || (parent as Element).namespaceURI === SVG;
  const element = inSvg
    ? document.createElementNS(SVG, wanted.tag)
    : document.createElement(wanted.tag);
  patch(element, wanted, mounts);
  const { mounted } = wanted.props;
  if (mounted) mounts.push(() => mounted(element as never));
  return element;
}

function patch(element: Element, wanted: VNode, mounts: (() => void)[]): void {
  const before = described.get(element)?.props ?? {};
  // Children first: a select takes its value only once its options exist.
  patchChildren(element, wanted.children, mounts);
  for (const name of Object.keys(before)) {
    if (!(name in wanted.props)) setProp(element, name, null);
  }
  for (const [name, value] of Object.entries(wanted.props)) setProp(element, name, value);
  described.set(element, wanted);
}

function setProp(element: Element, name: string, value: unknown): void {
  if (name === "key" || name === "mounted") return;
  const target = element as unknown as Record<string, unknown>;
  if (name.startsWith("on")) target[name] = (value as Handler | null) ?? null;
  else if (AS_PROPERTY.has(name)) {
    if (target[name] !== value) target[name] = value ?? "";
  } else if (value === null || value === undefined || value === false) {
    element.removeAttribute(name);
  } else {
    const text = value === true ? "" : String(value);
    if (element.getAttribute(name) !== text) element.setAttribute(name, text);
  }
}
