"""A person without a mouse: keys only, and at each stop the focus has to be seen."""

from typing import Any

from playwright.sync_api import Page

MOST_STOPS = 60
TYPING_MS = 120
"""Between two keys: slower than a scanner, which types a whole code at once."""
READING_MS = 700
"""Before an answer is acted upon: the console takes an earlier Enter for the scanner's."""

# Where the focus is: its test id, and whether it is drawn with a ring, its own or its label's.
FOCUSED = """
() => {
  const element = document.activeElement;
  if (!element || element === document.body) return null;
  const ring = (one) => {
    const { outlineStyle, outlineWidth, outlineColor, boxShadow } = getComputedStyle(one);
    const outlined = outlineStyle !== "none" && parseFloat(outlineWidth) >= 1;
    return (outlined && !/, 0\\)$|transparent/.test(outlineColor)) || boxShadow !== "none";
  };
  const { top, bottom, left, right } = element.getBoundingClientRect();
  const around = [element, element.closest("label")].filter(Boolean);
  const radios = element.type === "radio" ? document.getElementsByName(element.name) : [];
  return {
    group: [...radios].map((radio) => radio.dataset.testid),
    name: element.outerHTML.slice(0, 120),
    testid: element.dataset.testid ?? null,
    ring: element.matches(":focus-visible") && around.some(ring),
    seen: bottom > 0 && right > 0 && top < innerHeight && left < innerWidth,
  };
}
"""


def focused(page: Page) -> dict[str, Any] | None:
    """Where the focus is, if anywhere."""
    where: dict[str, Any] | None = page.evaluate(FOCUSED)
    return where


def tab_to(page: Page, testid: str) -> None:
    """Press Tab, and within radio buttons the arrow, until `testid` has the focus.

    Raises:
        AssertionError: it is never reached, or a stop on the way does not show its focus.
    """
    where = focused(page)
    for _ in range(MOST_STOPS):
        if where and where["testid"] == testid:
            return
        within = where and where["group"] and testid in where["group"]
        page.keyboard.press("ArrowDown" if within else "Tab")
        where = focused(page)
        if where:
            assert where["ring"], f"no focus ring on {where['name']}"
            assert where["seen"], f"the focus is out of sight on {where['name']}"
    raise AssertionError(f"the keyboard does not reach {testid}")


def press(page: Page, testid: str, key: str = "Enter") -> None:
    """Go to `testid` and press the key there."""
    tab_to(page, testid)
    page.keyboard.press(key)


def read(page: Page) -> None:
    """Look at what the page says, as long as a person needs at least."""
    page.wait_for_timeout(READING_MS)


def write(page: Page, testid: str, text: str) -> None:
    """Go to the field and type as a person does."""
    tab_to(page, testid)
    page.keyboard.type(text, delay=TYPING_MS)
