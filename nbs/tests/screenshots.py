"""Writes the picture of the desk that the README shows: drawn faces of the network that travels with the package, in a browser that is there."""

import hashlib
import tempfile
import threading
from pathlib import Path

from browser import browse

from oaml.explorers.exhibits import packed_exhibit
from oaml.explorers.items import exhibit_items
from oaml.files import CHECKOUT, write_bytes, write_json
from oaml.review.page import ReviewServer
from oaml.review.session import open_session
from oaml.runs.provenance import commit, hardware, versions

STROKES = """
    page.set_viewport_size(dict(width=1130, height=730))
    press = lambda key: (page.keyboard.press(key), page.evaluate("document.getElementById('desk').desk.busy"))
    for key in "aaxsaag":
        press(key)
    box = page.locator(".oaml-stage canvas").bounding_box()
    side = box["height"] / 112
    at = lambda x, y: (box["x"] + box["width"] / 2 + (x - 56) * side, box["y"] + y * side)
    for key, points in (("h", ((40, 86), (56, 96), (72, 86))), ("v", ((26, 46), (86, 46)))):
        press(key)
        page.mouse.move(*at(*points[0]))
        page.mouse.down()
        for point in points[1:]:
            page.mouse.move(*at(*point), steps=12)
        page.mouse.up()
        page.evaluate("document.getElementById('desk').desk.busy")
    page.mouse.move(2, 2)
    page.screenshot(path=%r)
"""

if __name__ == "__main__":
    home, exhibit = Path(tempfile.mkdtemp()), packed_exhibit()
    items = [x for x in exhibit_items(exhibit) if x.columns["occluder"] == "medical"]
    session = open_session(items, home, "ada")
    server = ReviewServer(session)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    browse(server.address, STROKES % str(home / "desk.png"), "document.getElementById('desk').desk?.current?.picture")
    picture = (home / "desk.png").read_bytes()
    record = dict(commit=commit(CHECKOUT), versions=versions(), hardware=hardware(), made_from=exhibit.record)
    record |= dict(made_by="nbs/tests/screenshots.py", seeds=exhibit.record["seeds"])
    record["sha256"] = {"review_desk.png": hashlib.sha256(picture).hexdigest()}
    write_bytes(CHECKOUT / "figures" / "review_desk.png", picture)
    write_json(CHECKOUT / "figures" / "review_desk.json", record)
