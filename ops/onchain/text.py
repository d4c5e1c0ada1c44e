"""Text that comes from the chain, an endpoint or an argument, made fit for a terminal."""


def printable(text: str) -> str:
    """`text` without anything a terminal would act on: control and direction characters, line ends
    included, are written as escapes.
    """
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in text
    )
