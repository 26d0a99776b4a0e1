"""What a page of HTML shows, by Python's own parser: tables, texts, and all that its elements point to."""

from html.parser import HTMLParser

VOID = {"meta", "link", "br", "img", "input", "hr"}


class PageReader(HTMLParser):
    """tables: by caption, in order, each a list of rows of (text, value of <data> or None), heads left out.

    heading: the first one. labels, figures: of the key figures, without where they are from.

    links: all values of href and src. tags: names of all elements. texts: all texts outside <style>. ids: all of them.
    """

    def __init__(self, page):
        super().__init__()
        self.tables, self.links, self.tags, self.texts, self.ids = [], [], [], [], []
        self._open, self._caption = [], ""
        self.heading, self.labels, self.figures = "", [], []
        self.feed(page)
        self.close()
        assert not self._open, self._open

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("href", "src", "xlink:href")]
        self.ids += [attributes["id"]] if "id" in attributes else []
        if tag not in VOID:
            self._open.append(tag)
        if tag == "figcaption":
            self._caption = ""
        elif tag in ("dt", "dd"):
            (self.labels if tag == "dt" else self.figures).append("")
        elif tag == "table":
            self.tables.append((self._caption, []))
        elif tag == "tr" and "thead" not in self._open:
            self.tables[-1][1].append([])
        elif tag == "td":
            self.tables[-1][1][-1].append(("", None))
        elif tag == "data":
            self.tables and "td" in self._open and self._set(value=float(attributes["value"]))

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag, tag

    def handle_data(self, data):
        if "style" in self._open:
            return
        self.texts.append(data)
        if "h1" in self._open:
            self.heading += data
        elif "dt" in self._open:
            self.labels[-1] += data
        elif "dd" in self._open and "small" not in self._open:
            self.figures[-1] += data
        elif "figcaption" in self._open:
            self._caption += data
        elif "td" in self._open:
            self._set(text=data)

    def _set(self, text="", value=None):
        row = self.tables[-1][1][-1]
        row[-1] = (row[-1][0] + text, row[-1][1] if value is None else value)

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())

    def table(self, start):
        """The rows of the only table whose caption begins so."""
        [rows] = [rows for caption, rows in self.tables if caption.startswith(start)]
        return rows

    def values(self, start):
        """The numbers of a table by the text of its first column, None where a cell shows none."""
        return {row[0][0]: [value for _, value in row[1:]] for row in self.table(start)}
