"""Pictures of the README and the sample page of the docs, taken from a handout of the sample organisation.

    python tools/pictures.py reports/units/contact-centre.html

Writes docs/handout.png (the first page), docs/chart.png (its first chart) and docs/sample-handout.html (the page
itself). Needs the test requirements and Chromium, as `make test-browser` installs them.
"""

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

DOCS = Path(__file__).parents[1] / "docs"
COLOURS = 64
"""A page of text and flat marks loses nothing by few colours, and the file stays small."""


def main(page: Path) -> None:
    """Open the page as a reader does, and take what the README shows of it."""
    shutil.copyfile(page, DOCS / "sample-handout.html")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        view = browser.new_page(viewport={"width": 1000, "height": 1250})
        view.goto(page.resolve().as_uri())
        _save(view.screenshot(), "handout.png")
        _save(view.locator("figure svg").first.screenshot(), "chart.png")
        browser.close()


def _save(shot: bytes, name: str) -> None:
    image = Image.open(io.BytesIO(shot)).convert("RGB")
    image.quantize(COLOURS, dither=Image.Dither.NONE).save(DOCS / name, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
