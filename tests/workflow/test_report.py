"""The report in the browser: every figure and table can be seen and has a caption, and nothing complains."""

import pytest
from browser import NAMES, Page, find_browser, open_browser

pytestmark = pytest.mark.skipif(find_browser() is None, reason=f"no browser here: looked for {', '.join(NAMES)}")

CLICK = """(words => {
    const found = [...document.querySelectorAll('span, a, button')].find(element => element.innerText.trim() == words);
    (found.closest('a, button') ?? found).click();
})"""
EYES = "[...document.querySelectorAll('tbody tr')].filter(row => row.querySelector('a[iconname=eye]'))"
SHOW = EYES + ".find(row => row.innerText.trim() == %r).querySelector('a[iconname=eye]').click()"
SHOWN = """new Promise(done => setTimeout(() => {
    const [element] = document.querySelectorAll('.grow img, .grow iframe');
    const box = element?.getBoundingClientRect() ?? {};
    done({kind: element?.tagName, width: box.width, height: box.height, pixels: element?.naturalWidth});
}, 50))"""


@pytest.fixture(scope="module")
def report(finished_once, tmp_path_factory):
    """A finished project with its report."""
    project = finished_once[0].copy(tmp_path_factory.mktemp("report") / "mon étude")
    project.run("snakemake", "--report", "report.html")
    return project


@pytest.fixture
def page(report, tmp_path):
    """The report, opened."""
    with open_browser(tmp_path / "profile") as page:
        page.open(report.root / "report.html")
        yield page
        assert page.complaints == []


def show_all(page: Page, category: str) -> dict[str, dict]:
    """Open a category and everything in it; gives what was to be seen by name."""
    page.run(f"{CLICK}({category!r})")
    seen = {}
    for name in page.run(f"{EYES}.map(row => row.innerText.trim())"):
        page.run(SHOW % name)
        seen[name] = page.run(SHOWN)
    return seen


def read_frame(page: Page) -> str:
    """The text of the page inside of the page."""
    (child,) = page.send("Page.getFrameTree")["frameTree"]["childFrames"]
    context = page.send("Page.createIsolatedWorld", frameId=child["frame"]["id"])["executionContextId"]
    return page.send("Runtime.evaluate", contextId=context, expression="document.body.innerText")["result"]["value"]


def test_every_figure_can_be_seen(page, report):
    seen = show_all(page, "Figures")
    assert set(seen) == {path.stem for path in report.root.glob("paper/figures/[!.]*")}
    for name, shown in seen.items():
        assert shown["kind"] == ("IFRAME" if name.startswith("animation") else "IMG"), name
        assert shown["width"] > 100, name
        assert shown["height"] > 50, name
        assert shown["kind"] == "IFRAME" or shown["pixels"] > 0, name  # nought where the picture is broken


def test_every_table_can_be_seen(page, report):
    seen = show_all(page, "Tables")
    assert set(seen) == {"summary", "claims"} | {path.stem for path in report.root.glob("paper/tables/*.csv")}
    assert {shown["kind"] for shown in seen.values()} == {"IFRAME"}
    page.run(SHOW % "claims")
    page.run(SHOWN)
    assert "verdict" in read_frame(page)


def test_the_first_screen_has_the_verdicts_and_a_picture(page, report):
    """The graph of all rules stands below them, outside of the window."""
    boxes = page.run("""new Promise(done => setTimeout(() => done(Object.fromEntries(
        ['#verdicts table', '#verdicts img', '#rulegraph'].map(words => {
            const {top, bottom, width} = document.querySelector(words).getBoundingClientRect();
            return [words, {top, bottom, width}];
        }))), 300))""")
    height = page.run("innerHeight")
    assert page.run("document.querySelector('#verdicts table').innerText").strip().startswith("claim\tverdict")
    assert page.run("document.querySelectorAll('#verdicts tr').length") == 1 + len(
        (report.root / "results/claims.csv").read_text().strip().splitlines()[1:]
    )
    assert 0 <= boxes["#verdicts table"]["top"] < height / 3
    assert 0 <= boxes["#verdicts img"]["top"] < height / 3
    assert boxes["#verdicts img"]["width"] > 100
    assert boxes["#rulegraph"]["top"] >= boxes["#verdicts table"]["bottom"]


def test_everything_has_a_caption_and_a_category(page):
    captions = page.run("Object.fromEntries(Object.values(results).map(({name, caption}) => [name, caption]))")
    assert len(captions) > 20
    assert {name for name, caption in captions.items() if len(caption or "") < 30} == set()
    assert page.run("Object.keys(categories).sort()") == ["Figures", "Files", "Report", "Tables"]


def test_a_complaint_would_be_heard(page):
    page.run("console.error('first'), setTimeout(() => { throw new Error('second') })")
    page.run("new Promise(done => setTimeout(done, 100))")
    complaints = [page.complaints.pop(0) for _ in range(2)]
    assert "first" in complaints[0]
    assert "second" in complaints[1]


def test_no_result_has_to_be_fetched(page):
    uris = page.run("Object.values(results).map(result => result.data_uri.slice(0, 5))")
    assert set(uris) == {"data:"}
