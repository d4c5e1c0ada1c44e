"""axe-core on a page as it is, under the site's own content policy."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

SOURCE = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
RUN = """
async (tags) => {
  const { violations } = await axe.run(document, {
    runOnly: tags,
    rules: { "target-size": { enabled: true } },
    resultTypes: ["violations"],
    preload: false,
  });
  return violations.map(({ id, help, nodes }) => ({
    id,
    help,
    nodes: nodes.map(({ target, any, all, none }) => ({
      target: target.join(" "),
      why: [...any, ...all, ...none].map(({ message }) => message).join("; "),
    })),
  }));
}
"""


def violations(page: Page) -> list[str]:
    """What axe finds against WCAG 2.2 A and AA, one line for each element.

    The script comes in through the debugging protocol: the page's policy stays as strict as it is.
    """
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(f"{SOURCE.read_text('utf-8')}; undefined")
    found: list[dict[str, Any]] = page.evaluate(RUN, TAGS)
    return [
        f"axe {one['id']}: {node['target']}: {node['why']}"
        for one in found
        for node in one["nodes"]
    ]
