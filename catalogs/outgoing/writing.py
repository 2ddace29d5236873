"""Writes a sheet as CSV, as a workbook of text cells, or by position in a ZIP as the national catalog files are.

Knows the three forms. Must not know catalogs. Rule: a file appears whole or not at all, the same for the same rows.
Sources: engineering guide section 8 row 13 (CSV prefix, text cells); national-interface section 6 (tabs, `null`).
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO
from xml.sax.saxutils import escape

from catalogs.incoming.cells import FORMULA_STARTS
from catalogs.outgoing.sheets import Sheet
from hub.core.errors import NotAllowed

MOST_SHEET_ROWS = 1_048_575
"""What a worksheet holds below its headings."""

_LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The moment written for each part of an archive, so that the same rows give the same bytes."""

Written = Callable[[int], None]
"""Hears how many rows have been written, now and then."""


def nobody_counts(_rows: int) -> None:
    """For where nobody looks."""


@contextmanager
def appearing(target: Path) -> Iterator[BinaryIO]:
    """A file to write that takes its name when all of it is written; an older file of the name is replaced."""
    waiting = target.with_name(f".{target.name}.part")
    try:
        stream = waiting.open("wb")
    except OSError as error:
        raise NotAllowed("folder_closed", f"{target} cannot be written ({error.strerror})") from error
    try:
        with stream:
            yield stream
        waiting.replace(target)
    finally:
        waiting.unlink(missing_ok=True)


def write_csv(sheet: Sheet, target: Path, *, written: Written = nobody_counts) -> int:
    """UTF-8 with a byte order mark (spreadsheets show Chinese wrongly without one) and CRLF ends; gives the rows.

    A cell that begins like a formula has an apostrophe before it, which an import takes away again.
    """
    with appearing(target) as stream:
        text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="", write_through=False)
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(sheet.columns)
        count = 0
        for count, cells in enumerate(sheet.cells(), start=1):
            writer.writerow([quoted(cell) for cell in cells])
            if count % 1000 == 0:
                written(count)
        text.flush()
        text.detach()
    return count


def quoted(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return "'" + cell if cell.startswith(FORMULA_STARTS) else cell


def write_positions(
    rows: Iterable[Sequence[str]], target: Path, *, member: str, written: Written = nobody_counts
) -> int:
    """A ZIP with one text file: cells parted by tabs, the word null for an empty one, a line feed after each row."""
    count = 0
    with appearing(target) as stream, zipfile.ZipFile(stream, "w") as archive, _part(archive, member) as part:
        for count, cells in enumerate(rows, start=1):
            part.write(("\t".join([cell or "null" for cell in cells]) + "\n").encode())
            if count % 1000 == 0:
                written(count)
    return count


def _part(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    """A packed part of an archive, to be written as a stream."""
    member = zipfile.ZipInfo(name, _LONG_AGO)
    member.compress_type = zipfile.ZIP_DEFLATED
    return archive.open(member, "w", force_zip64=True)


# --- workbooks ----------------------------------------------------------------------------------------------------

_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_PARTS = {
    "[Content_Types].xml": f"""{_HEAD}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">\
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>\
<Default Extension="xml" ContentType="application/xml"/>\
<Override PartName="/xl/workbook.xml" ContentType="{_TYPES}.sheet.main+xml"/>\
<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPES}.worksheet+xml"/>\
<Override PartName="/xl/styles.xml" ContentType="{_TYPES}.styles+xml"/></Types>""",
    "_rels/.rels": f"""{_HEAD}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">\
<Relationship Id="rId1" Type="{_RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>""",
    "xl/_rels/workbook.xml.rels": f"""{_HEAD}<Relationships \
xmlns="http://schemas.openxmlformats.org/package/2006/relationships">\
<Relationship Id="rId1" Type="{_RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/>\
<Relationship Id="rId2" Type="{_RELATIONS}/styles" Target="styles.xml"/></Relationships>""",
    # Format 49 is text: a code typed into such a cell later keeps its digits as well.
    "xl/styles.xml": f"""{_HEAD}<styleSheet xmlns="{_MAIN}"><fonts count="2"><font/><font><b/></font></fonts>\
<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>\
</fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="3"><xf/>\
<xf numFmtId="49" applyNumberFormat="1"/><xf numFmtId="49" fontId="1" applyNumberFormat="1" applyFont="1"/></cellXfs>\
<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>""",
}


def write_xlsx(sheet: Sheet, target: Path, *, written: Written = nobody_counts) -> int:
    """A workbook of one sheet in which every cell is text, so that none can be a formula and no code loses digits.

    Raises NotAllowed for more rows than a worksheet holds.
    """
    title = escape(sheet.name[:31], {'"': "&quot;"})
    book = (
        f'{_HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><sheets>'
        f'<sheet name="{title}" sheetId="1" r:id="rId1"/></sheets></workbook>'
    )
    with appearing(target) as stream, zipfile.ZipFile(stream, "w") as archive:
        for name, content in {**_PARTS, "xl/workbook.xml": book}.items():
            with _part(archive, name) as part:
                part.write(content.encode())
        with _part(archive, "xl/worksheets/sheet1.xml") as part:
            part.write(
                f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
                '<pane ySplit="1" topLeftCell="A2" state="frozen"/></sheetView></sheetViews><sheetData>'.encode()
            )
            part.write(_row(1, sheet.columns, style=2))
            count = 0
            for count, cells in enumerate(sheet.cells(), start=1):
                if count > MOST_SHEET_ROWS:
                    raise NotAllowed("too_many_rows", f"a worksheet holds {MOST_SHEET_ROWS} rows: write CSV")
                part.write(_row(count + 1, cells, style=1))
                if count % 1000 == 0:
                    written(count)
            part.write(b"</sheetData></worksheet>")
    return count


def _row(number: int, cells: Sequence[str], *, style: int) -> bytes:
    inner = "".join(
        f'<c r="{_letters(index)}{number}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{escape(cell)}</t>'
        "</is></c>"
        for index, cell in enumerate(cells, start=1)
        if cell
    )
    return f'<row r="{number}">{inner}</row>'.encode()


def _letters(column: int) -> str:
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
