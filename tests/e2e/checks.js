// What a page must hold beside axe's rules. Each answers the list of what is wrong.
(() => {
  const name = (element) => {
    const testid = element.closest("[data-testid]")?.getAttribute("data-testid");
    const text = (element.textContent ?? "").trim().replace(/\s+/g, " ").slice(0, 40);
    return `<${element.localName} class="${element.getAttribute("class") ?? ""}"> "${text}"${testid ? ` in ${testid}` : ""}`;
  };
  const shown = (element) =>
    element.checkVisibility({ visibilityProperty: true, opacityProperty: true }) &&
    !element.closest("[inert]");
  // Text for screen readers alone is a pixel large on purpose.
  const forReaders = (element) => {
    const { width, height } = element.getBoundingClientRect();
    return width <= 1 || height <= 1;
  };
  /** What can be reached now: an open modal dialog covers the rest. */
  const top = () => document.querySelector("dialog:modal") ?? document.body;
  const targets = () =>
    [...top().querySelectorAll("a[href], button, input, select, textarea, summary, [role=button]")]
      .filter((element) => !element.disabled && shown(element) && !forReaders(element));
  const ownText = (element) =>
    [...element.childNodes].filter((node) => node.nodeType === 3 && node.data.trim() !== "");
  const scrolls = (element, axis) =>
    ["auto", "scroll"].includes(getComputedStyle(element)[`overflow-${axis}`]);

  const headings = () => {
    const count = [...document.querySelectorAll("h1")].filter(shown).length;
    return count === 1 ? [] : [`${count} h1 on the page`];
  };

  const sideways = () => {
    const { scrollWidth, clientWidth } = document.scrollingElement;
    return scrollWidth > clientWidth ? [`scrolls sideways: ${scrollWidth} in ${clientWidth}`] : [];
  };

  const clipped = () => {
    const found = [];
    for (const element of document.body.querySelectorAll("*")) {
      const texts = ownText(element);
      if (texts.length === 0 || !shown(element) || element.closest("svg, noscript")) continue;
      if (forReaders(element)) continue;
      for (const text of texts) {
        const range = document.createRange();
        range.selectNodeContents(text);
        const box = range.getBoundingClientRect();
        const cutter = cutBy(element, box);
        if (cutter) found.push(`text is cut: ${name(element)} by ${name(cutter).slice(0, 60)}`);
      }
    }
    return found;
  };
  /** The ancestor that hides a part of `box` for good, or null. */
  const cutBy = (element, box) => {
    for (let around = element; around; around = around.parentElement) {
      const style = getComputedStyle(around);
      const edge = around.getBoundingClientRect();
      const hides = (axis) => ["hidden", "clip"].includes(style[`overflow-${axis}`]);
      const isRoot = around === document.documentElement || around === document.body;
      if (!isRoot && hides("x") && (box.left < edge.left - 1 || box.right > edge.right + 1)) {
        return around;
      }
      if (!isRoot && hides("y") && (box.top < edge.top - 1 || box.bottom > edge.bottom + 1)) {
        return around;
      }
      if (scrolls(around, "x") && scrolls(around, "y")) return null;
      if (style.position === "fixed") return beyond(box) ? around : null;
    }
    return null;
  };
  const beyond = (box) => box.left < -1 || box.right > innerWidth + 1;

  const outside = () =>
    targets()
      .map((element) => [element, element.getBoundingClientRect()])
      .filter(([, box]) => beyond(box))
      .map(([element]) => `outside the screen: ${name(element)}`);

  const covered = () => {
    const found = [];
    for (const element of targets()) {
      element.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
      const [box] = element.getClientRects();
      const hit = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
      const label = element.labels?.[0];
      if (!hit || !(element.contains(hit) || label?.contains(hit))) {
        found.push(`cannot be reached: ${name(element)} is under ${hit ? name(hit) : "the edge"}`);
      }
    }
    window.scrollTo({ top: 0, behavior: "instant" });
    return found;
  };

  const small = () =>
    targets()
      .filter((element) => getComputedStyle(element).display !== "inline")
      .map((element) => {
        const boxes = [element, ...(element.labels ?? [])].map((one) => one.getBoundingClientRect());
        const largest = Math.max(...boxes.map(({ width, height }) => Math.min(width, height)));
        return [element, largest];
      })
      .filter(([, size]) => size < 24)
      .map(([element, size]) => `target of ${size.toFixed(0)} px: ${name(element)}`);

  const moving = () =>
    document
      .getAnimations()
      .filter((animation) => animation.playState === "running")
      .map((animation) => animation.effect)
      .filter(({ target }) => target && !target.closest(".spinner, .skeleton"))
      .filter((effect) => effect.getComputedTiming().endTime > 100)
      .map(({ target }) => `moves although motion is reduced: ${name(target)}`);

  return { headings, sideways, clipped, outside, covered, small, moving };
})()
