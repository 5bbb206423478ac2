"""Small documents of our own in each true format."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence

Text = tuple[float, float, str]  # left, baseline, words
Rule = tuple[float, float, float]  # left, right, height


def pdf(pages: Sequence[Sequence[Text]], rules: Sequence[Sequence[Rule]] = (), *, image: bool = False) -> bytes:
    """A PDF of printed words at 12 points, with drawn lines, or only a picture on each page."""
    objects: list[bytes] = [b"", b"<</Type/Font/Subtype/Type1/BaseFont/Courier>>"]
    kids: list[int] = []
    for number, words in enumerate(pages):
        parts = []
        for left, base, text in words:
            escaped = text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
            parts.append(f"BT /F 12 Tf {left} {base} Td ({escaped}) Tj ET")
        for x0, x1, y in rules[number] if number < len(rules) else ():
            parts.append(f"{x0} {y} m {x1} {y} l S")
        resources = "/Font<</F 2 0 R>>"
        if image:
            parts.append("q 500 0 0 700 50 50 cm /I Do Q")
            objects.append(
                b"<</Type/XObject/Subtype/Image/Width 1/Height 1/ColorSpace/DeviceGray/BitsPerComponent 8"
                b"/Length 1>>\nstream\n\x80\nendstream"
            )
            resources = f"/XObject<</I {len(objects)} 0 R>>"
        stream = "\n".join(parts).encode("latin-1")
        objects.append(b"<</Length %d>>\nstream\n%s\nendstream" % (len(stream), stream))
        objects.append(
            f"<</Type/Page/Parent 1 0 R/MediaBox[0 0 612 792]/Contents {len(objects)} 0 R"
            f"/Resources<<{resources}>>>>".encode()
        )
        kids.append(len(objects))
    objects[0] = f"<</Type/Pages/Count {len(kids)}/Kids[{' '.join(f'{k} 0 R' for k in kids)}]>>".encode()
    objects.append(b"<</Type/Catalog/Pages 1 0 R>>")
    out = io.BytesIO(b"")
    out.write(b"%PDF-1.4\n")
    places = []
    for index, item in enumerate(objects, 1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (index, item))
    table = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    for place in places:
        out.write(b"%010d 00000 n \n" % place)
    out.write(b"trailer<</Size %d/Root %d 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, len(objects), table))
    return out.getvalue()


def printed(lines: Sequence[str], *, first: int = 1, numbered: bool = True) -> list[Text]:
    """A page of Courier lines from the top, numbered down the margin."""
    page: list[Text] = []
    for row, line in enumerate(lines):
        base = 700 - 20 * row
        if numbered:
            page.append((50, base, str(first + row)))
        if line:
            page.append((90, base, line))
    return page


def docx(paragraphs: Sequence[str]) -> bytes:
    """A .docx whose paragraphs are given as runs of WordprocessingML."""
    space = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    body = "".join(f"<w:p>{runs}</w:p>" for runs in paragraphs)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "[Content_Types].xml",
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument'
            '.wordprocessingml.document.main+xml"/></Types>',
        )
        archive.writestr(
            "_rels/.rels",
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/'
            'officeDocument" Target="word/document.xml"/></Relationships>',
        )
        archive.writestr("word/document.xml", f"<w:document {space}><w:body>{body}</w:body></w:document>")
    return out.getvalue()


def run(text: str, style: str = "") -> str:
    """One Word run; style is "strike", "u" or nothing."""
    mark = {"strike": "<w:strike/>", "u": '<w:u w:val="single"/>', "": ""}[style]
    return f'<w:r><w:rPr>{mark}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'
