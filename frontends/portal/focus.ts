/**
 * Takes keyboard and screen reader along when the page changes under them.
 *
 * On a new screen the focus goes to its heading. Where the pressed button has gone, it goes back to
 * what opened the dialog, or else to the heading too.
 */
export class FocusKeeper {
  private screen: string | null = null;
  private opener: HTMLElement | null = null;

  constructor(private readonly root: HTMLElement) {}

  /** Runs `draw`, which puts `screen` on the page. */
  around(screen: string, draw: () => void): void {
    const before = document.activeElement as HTMLElement | null;
    const within = before !== null && before !== document.body;
    const dialog = this.root.querySelector("dialog");
    draw();
    const opened = this.root.querySelector("dialog");
    if (opened && opened !== dialog) this.opener = before;
    const moved = this.screen !== null && this.screen !== screen;
    const arrived = moved && screen !== "loading" && this.screen !== "loading";
    this.screen = screen;
    if (moved) scrollTo(0, 0);
    if (opened) return;
    if (dialog && !moved && this.opener?.isConnected) this.opener.focus();
    else if (arrived || (within && !before.isConnected)) this.toHeading();
  }

  private toHeading(): void {
    const heading = this.root.querySelector<HTMLElement>("main h1");
    if (!heading) return;
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
  }
}
