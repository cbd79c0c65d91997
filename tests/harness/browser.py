"""The real browser against a suite: Node, the built web app, a sign-in. The scripts it runs are in tests/browser."""
import contextlib
import os
import pathlib
import socketserver
import subprocess
import tempfile
import threading
import urllib.parse

from harness.suite import ROOT

DIST = ROOT / "web/dist"
# This tree's app, whichever tree the program comes from.
SERVE_APP = ["--set", f"gateway.web_folder={DIST}"]


def build_app():
    """Builds the web app unless it is up to date."""
    subprocess.run([str(ROOT / "tools/build"), "--web"], stdout=subprocess.DEVNULL, check=True)


def node_environment():
    """The environment with tools/setup's Node first where the system's is too old."""
    folder = pathlib.Path(os.environ.get("RIVERMEET_DEPS", pathlib.Path.home() / ".cache/rivermeet/deps"))
    return {**os.environ, "PATH": f"{folder}/node/node_modules/node/bin:{os.environ['PATH']}"}


def sign_in_environment(suite):
    """The environment for a script that signs in with --one-time: the first user gets a new one-time password."""
    user = suite.api("GET", "/v1/users")["users"][0]["name"]
    password = suite.api("POST", f"/v1/users/{user}/password", {})["oneTimePassword"]
    return {**node_environment(), "RIVERMEET_URL": suite.state["url"], "RIVERMEET_USER": user,
            "RIVERMEET_PASSWORD": password}


@contextlib.contextmanager
def remote_control(suite):
    """Lets a test script kill the suite and start it again at the same address; yields the environment that says how.

    The script writes "kill" or "start" to the socket and reads "done" when it is.
    """
    suite.port = urllib.parse.urlparse(suite.state["url"]).port

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            {b"kill": suite.kill, b"start": suite.start}[self.rfile.readline().strip()]()
            self.wfile.write(b"done\n")

    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/control"
        with socketserver.UnixStreamServer(path, Handler) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            try:
                yield {"RIVERMEET_CONTROL": path}
            finally:
                server.shutdown()
                thread.join()


def script(name):
    return str(ROOT / "tests/browser" / name)
