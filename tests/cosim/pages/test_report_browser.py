"""The page of `duospike report` in headless Chromium, opened as a file: complete, still, and narrow enough for a phone."""

import json
import shutil

import pytest

from duospike.cosim.pages.run_files import read_runs
from duospike.cosim.pages.run_page import make_page
from duospike.scripts.main import main
from tests.cosim.pages.test_run_page import hostile

pytestmark = pytest.mark.slow

PHONE, DESK = 360, 1280
OVERFLOW = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def open_page():
    """open_page(path, width, dark=False) -> the driver that shows it, and all that the browser said and asked for since."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    programs = {name: shutil.which(name) for name in ("chromium", "chromedriver")}
    missing = [name for name, path in programs.items() if path is None]
    assert not missing, f"{', '.join(missing)} not installed; on Debian: apt-get install chromium chromium-driver"
    options = webdriver.ChromeOptions()
    options.binary_location = programs["chromium"]
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(programs["chromedriver"]))

    def show(path, width, dark=False):
        driver.get("about:blank")
        metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width == PHONE}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
        driver.get_log("browser"), driver.get_log("performance")
        driver.get(path.as_uri())
        return driver

    yield show
    driver.quit()


def requests(driver):
    """Addresses that the page asked for, except those within it."""
    messages = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    asked = [one["params"]["request"]["url"] for one in messages if one["method"] == "Network.requestWillBeSent"]
    return [address for address in asked if not address.startswith("data:")]


def tables(driver):
    """By caption: rows of (text, value of <data> or None), as the browser has them."""
    found = driver.execute_script("""
        return [...document.querySelectorAll("figure:has(table)")].map(figure => [
            figure.querySelector("figcaption").textContent,
            [...figure.querySelectorAll("tbody tr")].map(row => [...row.cells].map(cell => {
                const data = cell.querySelector("data");
                return [cell.textContent, data && Number(data.value)];
            }))])""")
    return dict(found)


@pytest.fixture(scope="module")
def folders(finished_runs, tmp_path_factory):
    """The runs' folders, for a page to be written into."""
    copy = shutil.copytree(finished_runs["cosim"].parent, tmp_path_factory.mktemp("copy"), dirs_exist_ok=True)
    return {command: copy / command for command in finished_runs}


@pytest.fixture(scope="module")
def page(folders):
    """As the command writes it."""
    assert main(["report", *(str(folder) for folder in folders.values()), "--image", "2"]) == 0
    return folders["cosim"] / "report.html"


@pytest.mark.parametrize("width, dark", [(PHONE, False), (PHONE, True), (DESK, False)])
def test_it_opens_offline_and_does_not_scroll_sideways(open_page, page, width, dark):
    driver = open_page(page, width, dark)
    assert requests(driver) == [page.as_uri()]
    assert driver.get_log("browser") == []
    assert driver.execute_script("return window.innerWidth") == width
    assert driver.execute_script(OVERFLOW) == 0
    # Wide tables and plots scroll in boxes of their own, and can be reached with the keyboard.
    boxes = driver.execute_script("""
        return [...document.querySelectorAll(".scroll")].map(box =>
            [box.scrollWidth > box.clientWidth, getComputedStyle(box).overflowX, box.tabIndex,
             box.getBoundingClientRect().right])""")
    assert width == DESK or any(is_wide for is_wide, *_ in boxes)
    # A box that scrolls says so, and no other; plots are never among them.
    hints = driver.execute_script("""
        return [...document.querySelectorAll(".table")].map(box =>
            [box.scrollWidth > box.clientWidth, getComputedStyle(box.querySelector(".more")).display])""")
    assert all((display == "block") == is_wide for is_wide, display in hints)
    plots = driver.execute_script("""
        return [...document.querySelectorAll(".plot .scroll")].map(box => [box.scrollWidth <= box.clientWidth,
            ...[...box.querySelectorAll("svg text")].map(text => text.getBoundingClientRect().height)])""")
    assert plots and all(fits for fits, *_ in plots)
    assert min(height for _, *heights in plots for height in heights) >= 8
    assert {(overflow, index) for _, overflow, index, _ in boxes} == {("auto", 0)} and max(box[-1] for box in boxes) <= width
    sizes = driver.execute_script(
        "return [...document.querySelectorAll('p, td, th, dd, dt')].map(e => parseFloat(getComputedStyle(e).fontSize))"
    )
    assert min(sizes) >= 13


def test_text_stands_out_in_light_and_dark(open_page, page):
    """Of the page and of the plots; the contrast is WCAG's for text of usual size."""
    colours = {}
    for dark in (False, True):
        driver = open_page(page, PHONE, dark)
        found = driver.execute_script("""
            const style = getComputedStyle, ground = style(document.body).backgroundColor;
            return [ground, ...["p", "td", "h3", "a", ".good", "dt"].map(name => style(document.querySelector(name)).color),
                    ...["svg text"].map(name => style(document.querySelector(name)).fill)]""")
        ground, *inks = ([int(part) for part in text[4:-1].split(",")] for text in found)
        for ink in inks:
            assert contrast(ink, ground) >= 4.5, (dark, ink, ground)
        colours[dark] = ground
    assert sum(colours[False]) > 600 > 100 > sum(colours[True])


def contrast(one, other):
    """The ratio of WCAG 2.1 between two colours [red, green, blue]."""

    def luminance(colour):
        parts = [part / 255 for part in colour]
        linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_headings_figures_and_numbers_are_there(open_page, page, folders):
    driver = open_page(page, DESK)
    runs = {run.command: run.content for run in read_runs(list(folders.values()))}
    headings = driver.execute_script("return [...document.querySelectorAll('h1, h2')].map(e => e.textContent)")
    assert headings == [
        "3C3-5C3-MP2-FC6 on none", "Verification", "Accuracy", "Cycles and stalls", "Sparsity and events", "Spike raster",
        "Area", "Timing", "Energy", "Exploration", "Network and training", "Versions and hashes",
    ]  # fmt: skip
    plots = driver.execute_script("""
        return [...document.querySelectorAll("figure.plot")].map(figure => {
            const box = figure.querySelector("svg").getBoundingClientRect();
            return [figure.querySelector("figcaption").textContent, box.width, box.height]})""")
    assert [title for title, _, _ in plots].count("Gantt chart of image 2") == 2
    assert "Spikes of image 2" in [title for title, _, _ in plots] and len(plots) == 6
    assert all(width > 300 and height > 100 for _, width, height in plots)
    # The raster's panels have been decoded and drawn: five stages with spikes.
    drawn = driver.execute_script("return [...document.querySelectorAll('svg image')].map(e => e.getBoundingClientRect().width)")
    assert len(drawn) == len(runs["cosim"]["stages"]) - 1 and min(drawn) > 100
    shown = tables(driver)
    stages = runs["cosim"]["stages"]
    title = f"{runs['cosim']['total_cycles']} cycles of 3 images, by the hardware's counters"
    assert [[cell[1] for cell in row[3:]] for row in shown[title]] == [
        [stage[key] for key in ("busy_cycles", "stall_in", "stall_out")] for stage in stages
    ]
    assert [[row[0][0], row[1][1]] for row in shown["Spikes of image 2, all timesteps"]]
    energy = runs["energy"]
    assert [cell[1] for cell in shown["nJ an image"][0]] == [
        energy[key] for key in ("images", "total", "float_total", "float_ratio")
    ]
    assert shown["Each stage"][-1][2][1] == runs["synth"]["total"]["lut"]
    timing = runs["synth --family ecp5 --pnr"]
    assert shown["Clock"][0][0][1] == timing["fmax_mhz"]
    assert [[cell[1] for cell in row[1:3]] for row in shown["Use of the device"]] == [
        [one["used"], one["available"]] for one in timing["utilization"].values()
    ]
    assert driver.title.startswith("Duospike: ")


def test_markup_in_a_run_is_shown_and_not_run(open_page, folders, tmp_path):
    runs = [hostile(run) for run in read_runs(list(folders.values()))]
    (tmp_path / "page.html").write_text(make_page(runs, 0), encoding="utf-8")
    driver = open_page(tmp_path / "page.html", PHONE)
    assert driver.execute_script("return document.querySelectorAll('script, img').length") == 0
    assert "<script>alert('$x$')</script><img src=x onerror=alert(1)>&amp;\"'conv1" in driver.execute_script(
        "return document.body.textContent"
    )
    assert requests(driver) == [(tmp_path / "page.html").as_uri()] and driver.get_log("browser") == []
    # Names without a space to break at.
    assert driver.execute_script(OVERFLOW) == 0


def test_a_page_that_asks_and_overflows_is_noticed(open_page, page, tmp_path):
    """What the tests above look at does change when something is wrong."""
    wrong = page.read_text(encoding="utf-8").replace(
        "</main>", "<img src='https://example.invalid/x.png'><script>1</script><div style='width: 900px'>wide</div></main>"
    )
    (tmp_path / "wrong.html").write_text(wrong, encoding="utf-8")
    driver = open_page(tmp_path / "wrong.html", PHONE)
    assert driver.execute_script(OVERFLOW) > 0
    said = [entry["message"] for entry in driver.get_log("browser")]
    assert any("Content Security Policy" in message and "example.invalid" in message for message in said), said
    (tmp_path / "open.html").write_text(wrong.replace("Content-Security-Policy", "x-nothing"), encoding="utf-8")
    driver = open_page(tmp_path / "open.html", PHONE)
    assert any("example.invalid" in address for address in requests(driver))
