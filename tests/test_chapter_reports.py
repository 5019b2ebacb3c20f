"""Documents of chapters as files: all of each document in every form, and nothing of a record that acts."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage_explorer.errors import InvalidQuestion, LineageError
from lineage_explorer.reports import chapters, page
from lineage_explorer.reports.cells import Blank
from lineage_explorer.reports.headlines import sentences, target_verdict, title

from . import chapter_documents as made

KINDS = sorted(made.ALL)
#: Everything that acts, on a terminal or on what is read: no form but JSON carries it.
ACTS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class Still(HTMLParser):
    """A page's part without scripts: its elements, and their texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.texts: list[str] = []
        self.captions: list[str] = []
        self.scopes: list[str | None] = []
        self._open = ""
        self.feed(text[text.index('<main id="lx-still"') : text.index("</main>")])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self._open = tag
        if tag == "th":
            self.scopes.append(dict(attrs).get("scope"))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        if self._open == "caption":
            self.captions.append(data)


def references(value: Any, key: str = "") -> Iterator[str]:
    """Every reference anywhere in a document, but inside whole audits, whose things stand in the pairs."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name != "audit":
                yield from references(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner, key)
    elif isinstance(value, str) and key not in ("digest", "audit_digest", "asked"):
        yield from re.findall(r"^(?:model|dataset|endpoint|deployment|run|code|prompt|feature_set):\S+$", value)


def unescaped(text: str) -> str:
    return re.sub(r"\\([\\`*_{}\[\]()<>#!|~&@:.+=-])", r"\1", text)


# --- whole ---


@pytest.mark.parametrize("kind", KINDS)
def test_every_reference_of_a_document_stands_in_the_page_and_in_markdown(kind: str) -> None:
    document = made.ALL[kind]("strange")
    wanted = set(references(document))
    assert len(wanted) > (1 if kind == "serving" else 3)
    said = " ".join(Still(chapters.html(document)).texts)
    markdown = unescaped(chapters.md(document))
    for ref in wanted:
        assert ref in said, f"{ref} is not in the page"
        assert ref in markdown, f"{ref} is not in Markdown"


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_and_markdown_begin_with_the_answer_and_state_evidence(kind: str) -> None:
    document = made.ALL[kind]()
    still = Still(chapters.html(document))
    markdown = unescaped(chapters.md(document))
    assert markdown.startswith(f"# {title(document)}\n")
    for sentence in sentences(document):
        assert sentence in still.texts
        assert sentence in markdown
    for text in (" ".join(still.texts), markdown):
        assert "This report states evidence, not compliance." in text
        assert document["digest"] in text


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_the_markdown_and_the_tables_are_the_same(kind: str) -> None:
    document = made.ALL[kind]()
    titles = [item.title for item in chapters.tables(document) if item.rows and not item.verbatim]
    assert Still(chapters.html(document)).captions == titles
    assert all(f"## {name}\n" in chapters.md(document) for name in titles)
    for item in chapters.tables(document):
        assert all(len(row) == len(item.head) for row in item.rows), item.title
        assert len({chapters.column(name) for name in item.head}) == len(item.head), item.title
    keys = [item.key for item in chapters.tables(document) if item.key]
    assert len(set(keys)) == len(keys)


def test_the_page_holds_the_document_once() -> None:
    document = made.history("</script><script>alert(1)</script>\u2028")
    text = chapters.html(document)
    data = text[text.index('id="lx-chapter">') + len('id="lx-chapter">') :]
    assert json.loads(data[: data.index("</script>")]) == document
    assert text.count('id="lx-chapter"') == 1
    assert json.loads(chapters.json(document)) == document


def test_a_thousand_versions_do_not_repeat_what_they_share() -> None:
    """Tables weigh about as much as the document does: a parameter of all versions is one row."""
    document = made.history(versions=1_000)
    assert len(chapters.chosen(document, "params").rows) == 2
    (row,) = [row for row in chapters.chosen(document, "packages").rows if row[0] == "scikit-learn"]
    assert row == ("scikit-learn", "1.5.0", "model:churn@1", "model:churn@1000", 1_000)
    text = chapters.html(document)
    still = text[text.index('<main id="lx-still"') : text.index("</main>")]
    assert len(still) < 1.5 * len(json.dumps(document))


def test_a_value_that_changes_and_comes_back_is_three_rows_and_a_version_without_it_ends_a_row() -> None:
    document = made.history(versions=5)
    for one, depth in zip(document["versions"], ("6", "8", "6", None, "6"), strict=True):
        one["params"] = {} if depth is None else {"depth": depth}
    assert sorted(chapters.chosen(document, "params").rows, key=lambda row: str(row[2])) == [
        ("depth", "6", "model:churn@1", "model:churn@1", 1),
        ("depth", "8", "model:churn@2", "model:churn@2", 1),
        ("depth", "6", "model:churn@3", "model:churn@3", 1),
        ("depth", "6", "model:churn@5", "model:churn@5", 1),
    ]


# --- what is not known is said ---


def test_what_is_not_on_record_is_said_to_people_and_empty_for_programs() -> None:
    document = made.serving()
    (first, gap, *_, open_) = chapters.chosen(document).rows
    assert first[:3] == (Blank("before the first record"), made.MARCH, "not known")
    assert gap[2] == "nobody answers"
    assert open_[3:5] == (Blank("not known"), Blank("not recorded"))
    said = Still(chapters.html(document)).texts
    assert {"before the first record", "nobody answers", "not recorded", "still"} <= set(said)
    rows = list(csv.DictReader(io.StringIO(chapters.csv(document))))
    assert [row["since"] for row in rows] == ["", made.MARCH, made.MAY, made.MAY]
    assert [row["traffic"] for row in rows] == ["", "", "90.0", ""]


def test_a_version_of_which_nobody_knows_whether_it_is_there_is_not_said_to_be() -> None:
    document = made.impact()
    names = chapters.chosen(document, "versions").head
    cells = {row[names.index("Still there")] for row in chapters.chosen(document, "versions").rows}
    assert cells == {Blank("not known")}
    (endpoint,) = chapters.chosen(document, "endpoints").rows
    assert endpoint[3] == Blank("not recorded")
    assert "still" in Still(chapters.html(document)).texts


def test_a_history_whose_registry_was_not_read_completely_says_so() -> None:
    assert any("may be missing" in one for one in sentences(made.history()))
    assert not any("may be missing" in one for one in sentences({**made.history(), "complete": True}))


def test_a_limit_tells_how_much_it_left_out() -> None:
    assert "Left out by the limit: 7 versions." in sentences(made.impact())


@pytest.mark.parametrize(
    ("target", "verdicts", "wanted"),
    [
        (None, ["PASSED"], "INCOMPLETE"),
        ("model:other@1", ["PASSED"], "INCOMPLETE"),
        ("model:churn@1", ["PASSED", "FAILED"], "FAILED"),
        ("model:churn@1", ["INCOMPLETE", "PASSED"], "INCOMPLETE"),
        ("model:churn@1", ["PASSED"], "PASSED"),
    ],
)
def test_going_back_passes_only_where_every_site_does(target: str | None, verdicts: list[str], wanted: str) -> None:
    """Nothing missing becomes PASSED, and a target without a verdict of its own has none."""
    one = made.rollback()["candidates"][0]
    document = made.rollback(target=target, candidates=[{**one, "verdict": verdict} for verdict in verdicts])
    assert target_verdict(document) == wanted


def test_a_list_of_questions_is_answered_in_its_own_words() -> None:
    document = made.rollback()
    document["question"]["policy"]["form"] = "questions"
    for text in (" ".join(Still(chapters.html(document)).texts), chapters.md(document), chapters.csv(document)):
        assert "evidence found" in text
        assert not re.search("PASSED|FAILED", text)


# --- hostile texts ---


@pytest.mark.parametrize("kind", KINDS)
def test_no_record_is_markup_in_a_page(kind: str) -> None:
    plain, hostile = (Still(chapters.html(made.ALL[kind](text))) for text in ("a", made.HOSTILE))
    assert hostile.tags == plain.tags
    assert hostile.attributes == plain.attributes
    assert not any(ACTS.search(text) for text in hostile.texts)
    assert None not in hostile.scopes
    assert "<img" in " ".join(hostile.texts), "it is shown, not dropped"


@pytest.mark.parametrize("kind", KINDS)
def test_no_record_is_markup_in_markdown(kind: str) -> None:
    plain, hostile = (chapters.md(made.ALL[kind](text)) for text in ("a", made.HOSTILE))
    outside = re.sub(r"^(`{3,})diff\n.*?\n\1$", "", hostile, flags=re.S | re.M)
    assert not re.search(r"(?<!\\)<|(?<!\\)\]\(|(?<!\\)`a|[^\\]\\\\\|", outside)
    assert not ACTS.search(hostile)

    def shape(text: str) -> list[str]:
        return [line[:2] for line in text.splitlines()]

    assert shape(outside) == shape(re.sub(r"^(`{3,})diff\n.*?\n\1$", "", plain, flags=re.S | re.M))


def test_the_lines_of_a_text_cannot_end_their_block() -> None:
    document = made.comparison("```\n# a heading")
    text = chapters.md(document)
    # A record put four signs of a fence into its text.
    (fence,) = re.findall(r"^(`+)diff$", text, flags=re.M)
    assert len(fence) == 5
    block = text.partition(f"{fence}diff\n")[2].partition(f"\n{fence}\n")[0]
    assert "+ ```` be kind" in block
    assert block.startswith("  You help.\n"), "spaces of a text count"
    assert "<pre>  You help.\n" in chapters.html(document)


@pytest.mark.parametrize("kind", KINDS)
def test_a_sheet_runs_no_formula_and_holds_numbers_as_numbers(kind: str) -> None:
    for text in ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", made.HOSTILE):
        document = made.ALL[kind](text)
        for item in chapters.tables(document):
            if not item.key:
                continue
            written = chapters.csv(document, item.key)
            head, *rows = csv.reader(io.StringIO(written))
            assert head == [chapters.column(name) for name in item.head]
            assert len(rows) == len(item.rows)
            assert not ACTS.search(written.replace("\n", ""))
            for row, cells in zip(rows, item.rows, strict=True):
                for cell, value in zip(row, cells, strict=True):
                    number = isinstance(value, (int, float)) and not isinstance(value, bool)
                    assert number or not cell.startswith(("=", "+", "-", "@", "\t")), (item.key, cell)
                    if number:
                        assert float(cell) == value


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(KINDS), st.text(max_size=40))
def test_no_text_breaks_a_report(kind: str, text: str) -> None:
    document = made.ALL[kind](text)
    Still(chapters.html(document))
    for form in (chapters.md, chapters.csv):
        form(document).encode(errors="strict" if text.isascii() else "surrogatepass")


# --- the policy of a page ---


def policy_of(text: str) -> dict[str, list[str]]:
    (told,) = re.findall(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', text)
    return {words[0]: words[1:] for words in (one.split() for one in told.split(";"))}


def digest(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_may_run_its_own_script_and_ask_nobody_for_anything(kind: str) -> None:
    text = chapters.html(made.ALL[kind](made.HOSTILE))
    allowed = policy_of(text)
    assert allowed["default-src"] == ["'none'"]
    assert allowed["base-uri"] == allowed["form-action"] == ["'none'"]
    assert allowed["script-src"] == [
        digest(one) for one in re.findall(r'<script type="module">(.*?)</script>', text, flags=re.S)
    ]
    assert allowed["style-src"] == [digest(one) for one in re.findall(r"<style>(.*?)</style>", text, flags=re.S)]
    assert len(allowed["script-src"]) == len(allowed["style-src"]) == 1
    assert not re.search(r"<(link|iframe|object|base|form)\b|<script src|\sstyle=", text.partition("<style>")[0])


def test_pages_of_audits_have_the_same_skeleton() -> None:
    audit = made.audit(made.HOSTILE, "endpoint:churn")
    text = page.render(audit)
    assert policy_of(text).keys() == policy_of(chapters.html(made.history())).keys()
    assert policy_of(text)["script-src"] == [
        digest(one) for one in re.findall(r'<script type="module">(.*?)</script>', text, flags=re.S)
    ]
    assert Still(text).texts[0].startswith("endpoint:churn")


# --- files ---


@pytest.mark.parametrize("suffix", ["html", "md", "csv", "json", "HTML"])
def test_a_document_is_saved_as_its_suffix_says(tmp_path: Path, suffix: str) -> None:
    document = made.history(made.HOSTILE)
    path = chapters.save(document, tmp_path / f"h.{suffix}")
    form = {"html": chapters.html, "md": chapters.md, "csv": chapters.csv, "json": chapters.json}[suffix.lower()]
    assert path.read_bytes().decode() == form(document)


def test_a_sheet_holds_the_table_that_was_chosen(tmp_path: Path) -> None:
    path = chapters.save(made.impact(), tmp_path / "i.csv", "retrain")
    assert [row["reference"] for row in csv.DictReader(io.StringIO(path.read_text()))] == [
        "model:churn@2",
        "endpoint:churn",
    ]
    with pytest.raises(InvalidQuestion, match="there is no table 'retrain'; there are: versions, events"):
        chapters.save(made.history(), tmp_path / "h.csv", "retrain")


@pytest.mark.parametrize("name", ["h.docx", "h", "h.svg"])
def test_what_nothing_writes_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(LineageError, match=r"\.html, \.csv, \.md, \.json"):
        chapters.save(made.history(), tmp_path / name)
    assert not (tmp_path / name).exists()


def test_a_place_that_cannot_be_written_and_a_document_of_another_kind_are_told(tmp_path: Path) -> None:
    with pytest.raises(LineageError, match="cannot be written"):
        chapters.save(made.history(), tmp_path / "nowhere" / "h.md")
    with pytest.raises(LineageError, match="lineage-explorer/history"):
        chapters.tables({"format": "lineage-explorer/audit"})
