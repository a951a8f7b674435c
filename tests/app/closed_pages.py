"""Open a page three times in a browser, close it each time, and print how many documents are left in the end.

Arguments: the study, and the browser or nothing for that of Playwright. In a process of its own, since what other tests
have left behind makes each collection of garbage take seconds.
"""

import logging
import sys
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.app.test_lifetime import Visits

WHOLE = """() => window.Bokeh?.documents.length && [...Bokeh.index.query(view => view.canvas_view)].length > 10
  && ![...Bokeh.index.query(view => view.model.css_classes?.includes("vp-opening"))].length"""
MOST_LOOKS = 300

logging.disable(logging.WARNING)
visits = Visits(Path(sys.argv[1]))
with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=sys.argv[2] or None, args=["--no-sandbox"])
    for _ in range(3):
        page = browser.new_page()
        page.goto(visits.url)
        page.wait_for_function(WHOLE, timeout=300_000)
        page.get_by_role("button", name="Next image").click(timeout=300_000)
        page.close()
    browser.close()
# A session that ends before its page has connected is made once more.
assert visits.n_visits >= 3
n_looks = 0
while visits.n_left() and n_looks < MOST_LOOKS:
    n_looks += 1
    time.sleep(0.2)
sys.stdout.write(str(visits.n_left()))
visits.server.stop()
