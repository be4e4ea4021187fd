"""Print pages as PDF with one Chromium, tagged for screen readers and with an outline."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from aiready.errors import InfrastructureError

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
"""Names of Chromium's command; without any, the browser that playwright installed is used."""


@contextmanager
def pdf_printer() -> Iterator[Callable[[Path], bytes]]:
    """Start a browser, yield a function that prints a page file, and close the browser at the end of the block.

    Pages are opened from disk, offline and without scripts; their style sheet sets paper and margins.

    Raises
    ------
    InfrastructureError
        playwright is not installed, or there is no browser that starts.
    """
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        raise InfrastructureError(
            '--pdf needs playwright, which is not installed. Install it with: pip install "aiready[pdf]"'
        ) from None
    with sync_playwright() as playwright:
        browser_path = next(filter(None, map(shutil.which, BROWSERS)), None)
        sandbox = ["--no-sandbox"] if is_superuser() else []  # Chromium's sandbox refuses to run as root
        try:
            browser = playwright.chromium.launch(executable_path=browser_path, args=sandbox)
        except Error as error:
            raise InfrastructureError(
                f"--pdf needs Chromium or Chrome, and none could be started ({str(error).splitlines()[0]}). "
                "Install the package chromium, or run: playwright install chromium"
            ) from None
        context = browser.new_context(java_script_enabled=False, offline=True)

        def print_page(path: Path) -> bytes:
            page = context.new_page()
            try:
                page.goto(path.resolve().as_uri())
                return page.pdf(
                    format="A4", prefer_css_page_size=True, print_background=True, tagged=True, outline=True
                )
            except Error as error:
                raise InfrastructureError(f"{path}: could not be printed ({str(error).splitlines()[0]}).") from None
            finally:
                page.close()

        yield print_page
        browser.close()


def is_superuser() -> bool:
    """Whether this process runs as root; False where there is no root (Windows)."""
    return hasattr(os, "geteuid") and os.geteuid() == 0
