"""The app as README starts it, on an empty store, and headless Chromium."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "inference"))

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
START_LIMIT_S = 60


@dataclass(frozen=True)
class RunningApp:
    """A server of the app.

    Attributes
    ----------
    url : str
        Without a slash at the end.
    database_url : str
    models_dir : Path
    """

    url: str
    database_url: str
    models_dir: Path


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def _wait(url: str, server: subprocess.Popen) -> None:
    end = time.monotonic() + START_LIMIT_S
    while time.monotonic() < end:
        assert server.poll() is None, "the server ended at once"
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.3)
    raise AssertionError(f"no answer within {START_LIMIT_S} s")


@pytest.fixture(scope="session")
def models_dir(tmp_path_factory) -> Path:
    """Return the shipped models, or a family that never trained where none is shipped."""
    shipped = ROOT / "models"
    if (shipped / "manifest.toml").is_file():
        return shipped
    from inference_family import install, random_family_net

    return install(random_family_net(), tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session")
def start_app(models_dir, tmp_path_factory):
    """Return a function that starts the app on an empty store with further settings."""
    servers = []

    def start(**settings: str) -> RunningApp:
        folder = tmp_path_factory.mktemp("store")
        database_url = f"sqlite:///{folder / 'store.db'}"
        port = _free_port()
        own = {
            "ECGDASH_DATABASE_URL": database_url,
            "ECGDASH_MODELS_DIR": str(models_dir),
            **settings,
        }
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("ECGDASH_")}
        log = (folder / "server.log").open("w")
        command = ["streamlit", "run", "app.py", "--server.port", str(port)]
        server = subprocess.Popen(
            [sys.executable, "-m", *command, "--server.headless", "true"],
            cwd=ROOT,
            env={**inherited, **own},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        servers.append((server, log))
        url = f"http://127.0.0.1:{port}"
        _wait(url, server)
        return RunningApp(url, database_url, models_dir)

    yield start
    for server, log in servers:
        server.terminate()
        server.wait(timeout=20)
        log.close()


@pytest.fixture(scope="session")
def app(start_app) -> RunningApp:
    return start_app()


@pytest.fixture(scope="session")
def browser():
    """Return headless Chromium."""
    if not CHROMIUM:
        pytest.skip("no Chromium on this machine (apt-get install chromium, or set CHROMIUM)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        found = play.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--headless=new"]
        )
        yield found
        found.close()


@pytest.fixture
def visit(browser):
    """Return a function that opens a page in a browser context of its own."""
    contexts = []

    def open_page(url: str, width: int = 1440):
        context = browser.new_context(viewport={"width": width, "height": 1000})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.goto(url)
        page.locator(".ed-name").wait_for()
        return page

    yield open_page
    for context in contexts:
        context.close()
