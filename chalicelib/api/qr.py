"""QR codes as SVG and PNG, in pure Python; the library is imported on use."""

import io

BOX_PIXELS = 8


def qr_svg(payload: str) -> bytes:
    """`payload` as an SVG document on a white ground, scalable to any size."""
    from qrcode.image.svg import SvgPathFillImage  # noqa: PLC0415 - kept off the import path

    return _draw(payload, SvgPathFillImage)


def qr_png(payload: str) -> bytes:
    """`payload` as a PNG, 8 pixels to a module."""
    from qrcode.image.pure import PyPNGImage  # noqa: PLC0415 - kept off the import path

    return _draw(payload, PyPNGImage)


def _draw(payload: str, factory: type) -> bytes:
    import qrcode  # noqa: PLC0415 - kept off the import path

    code = qrcode.QRCode(
        error_correction=qrcode.constants.ERROR_CORRECT_M,
        box_size=BOX_PIXELS,
        image_factory=factory,
    )
    code.add_data(payload)
    drawn = io.BytesIO()
    code.make_image().save(drawn)
    return drawn.getvalue()
