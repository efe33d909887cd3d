"""A browser that is there already, and the servers that it looks at: what the tests of pages and widgets share."""

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request

chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
MISSING = "skipped: no chromium to look with (apt-get install chromium)"


def until(ready, seconds, what):
    "Wait for something, and return it. Raises TimeoutError."
    end = time.monotonic() + seconds
    while not (found := ready()):
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: expected within {seconds} s")
        time.sleep(0.1)
    return found


def answers(url):
    "Does a server answer?"
    with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5) as reply:
        return reply.status == 200


def free_port():
    "A port that nobody listens at."
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def jupyter(app, folder, home):
    "JupyterLab (`lab`), Notebook 7 (`notebook`) or `voila` over a folder, with settings of its own that save every second; yields the address of a file in it. Where there are cells to run, the page has `jupyterapp`."
    port, token = free_port(), secrets.token_hex(16)
    plugin = home / "settings" / "@jupyterlab" / "docmanager-extension" / "plugin.jupyterlab-settings"
    plugin.parent.mkdir(parents=True, exist_ok=True)
    plugin.write_text(json.dumps(dict(autosaveInterval=1)))
    places = dict(JUPYTERLAB_SETTINGS_DIR="settings", JUPYTER_CONFIG_DIR="config", JUPYTER_RUNTIME_DIR="runtime")
    env = os.environ | {k: str(home / v) for k, v in places.items()}
    if app == "voila":
        command, path = ["voila", str(folder), f"--token={token}", "--Voila.ip=127.0.0.1"], "voila/render"
    else:
        command = [app, "--expose-app-in-browser", "--ip=127.0.0.1", f"--IdentityProvider.token={token}"]
        command += [f"--ServerApp.root_dir={folder}", "--ServerApp.port_retries=0"]
        command += ["--allow-root"] * (os.geteuid() == 0)
        path = "lab/tree" if app == "lab" else "notebooks"
    command = [sys.executable, "-m", *(["jupyter"] * (app != "voila")), *command, "--no-browser", f"--port={port}"]
    with (home / f"{app}.log").open("w") as log:
        process = subprocess.Popen(command, env=env, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            there = f"http://127.0.0.1:{port}/{'' if app == 'voila' else 'api'}?token={token}"
            until(lambda: answers(there), 90, f"the first answer of {app}")
            yield lambda file: f"http://127.0.0.1:{port}/{path}/{file}?token={token}"
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(15)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # and with it a kernel that did not end


def browse(address, steps, ready, ours=""):
    "Take steps on a page in a process of its own, since the browser's library does not run in a notebook's event loop; what they print. `ready`: what is waited for first; `ours`: what the stack of an error has that is not somebody else's."
    script = f"""
import sys
from playwright.sync_api import sync_playwright
with sync_playwright() as browsers:
    browser = browsers.chromium.launch(executable_path={chromium!r}, args=["--no-sandbox"])
    page = browser.new_page(viewport=dict(width=1400, height=1000))
    page.set_default_timeout(180000)  # a machine may be slow, and Voila runs a notebook before it answers
    page.on("pageerror", lambda e: {ours!r} in (e.stack or "") and sys.exit(f"error on the page: {{e.stack}}"))
    page.goto({address!r})
    page.wait_for_function({ready!r})
{steps}
    browser.close()
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout
