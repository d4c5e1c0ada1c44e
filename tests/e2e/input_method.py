"""A USB scanner's keys with a Vietnamese input method between them and the page."""

from playwright.sync_api import CDPSession, Page


class Keyboard:
    """Keys as the operating system hands them to the page, with an input method in between."""

    def __init__(self, page: Page) -> None:
        self._cdp: CDPSession = page.context.new_cdp_session(page)

    def down(self, key: str, code: str = "", text: str = "", *, shift: bool = False) -> None:
        """One key goes down and up; with `text` it writes that."""
        event = {"key": key, "code": code, "modifiers": 8 if shift else 0}
        if text:
            event["text"] = text
        if key == "Process":
            event["windowsVirtualKeyCode"] = 229
        elif key == "Backspace":
            event["windowsVirtualKeyCode"] = 8
        kind = "keyDown" if text else "rawKeyDown"
        self._cdp.send("Input.dispatchKeyEvent", {"type": kind, **event})
        event.pop("text", None)
        self._cdp.send("Input.dispatchKeyEvent", {"type": "keyUp", **event})

    def compose(self, text: str) -> None:
        """The input method shows what it makes of the keys so far."""
        caret = {"selectionStart": len(text), "selectionEnd": len(text)}
        self._cdp.send("Input.imeSetComposition", {"text": text, **caret})


def placed_on_us(character: str) -> tuple[str, bool]:
    """The key of a character on a US keyboard, and whether with Shift."""
    signs = {":": ("Semicolon", True), "/": ("Slash", False), "_": ("Minus", True)}
    if character.isdigit():
        return f"Digit{character}", False
    return signs.get(character) or (f"Key{character.upper()}", character.isupper())


def scan_through_unikey(page: Page, order_id: str) -> None:
    """Scan that order's QR code where Unikey swallows a tone key and types the vowel anew."""
    keyboard = Keyboard(page)
    for character in f"5SOV://order/{order_id}":
        if character == "r":
            keyboard.down("Backspace", "Backspace")
            keyboard.down("\u1ecf", "", "\u1ecf")
        else:
            code, shift = placed_on_us(character)
            keyboard.down(character, code, character, shift=shift)
    page.keyboard.press("Enter")
