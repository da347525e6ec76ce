"""From a value tree to the bytes of an answer, in JSON or XML.

Views are msgspec structs whose field names and leaf types are those of the wire; an attribute without a value
is UNSET and left out. Both writers start from the same tree, so the two formats say the same thing.
"""

from __future__ import annotations

import re
from typing import Any
from xml.sax.saxutils import escape

import msgspec

JSON = "application/json; charset=utf-8"
XML = "application/xml; charset=utf-8"


class Ready:
    """A part that stands in many answers: its JSON is written once."""

    __slots__ = ("json", "part")

    def __init__(self, part: Any) -> None:
        """`part` is what would stand there without this."""
        self.part = part
        self.json = msgspec.Raw(_encoder.encode(part))


def _ready_json(value: Any) -> msgspec.Raw:
    if isinstance(value, Ready):
        return value.json
    raise NotImplementedError(f"{type(value).__name__} has no place in an answer")


def _ready_tree(value: Any) -> Any:
    if isinstance(value, Ready):
        return value.part
    raise NotImplementedError(f"{type(value).__name__} has no place in an answer")


_encoder = msgspec.json.Encoder(enc_hook=_ready_json)
_ILLEGAL_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_XML_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*", re.ASCII)
# The frame is capitalised in XML; what is inside keeps the names it has in JSON.
_FRAME = {"message": "Message", "code": "Code", "data": "Data", "paging": "Paging", "type": "Type"}
_PAGING = {"next": "Next", "previous": "Previous"}


class Envelope(msgspec.Struct, omit_defaults=False):
    """The frame of every answer."""

    message: str
    code: int
    data: Any
    paging: dict[str, str] | msgspec.UnsetType = msgspec.UNSET
    type: str | msgspec.UnsetType = msgspec.UNSET


def to_tree(value: Any) -> Any:
    """A value tree of dictionaries, lists and leaves."""
    return msgspec.to_builtins(value, enc_hook=_ready_tree)


def to_json(envelope: Envelope) -> bytes:
    """The answer as JSON."""
    return _encoder.encode(envelope)


def to_flat_json(data: msgspec.Struct) -> bytes:
    """An answer in JSON as an older generation wrote it: its fields beside `message` and `code`."""
    return _encoder.encode({"message": "Success", "code": 0, **msgspec.structs.asdict(data)})


def to_xml(envelope: Envelope, is_page: bool = False) -> bytes:
    """The answer as XML: a `Response` whose `Data` holds the same tree; `is_page` says that it is a page of a list.

    A list repeats its items inside its own element. An object of one name stands there as the element of that name;
    every other item is wrapped in an element of the list's name (`Item` where the list is `Data` itself). Nothing
    and null are empty elements, booleans True and False. Data whose class has a true `PYTHON_IN_XML` is one text.
    """
    tree = to_tree(envelope)
    if getattr(envelope.data, "PYTHON_IN_XML", False):
        tree["data"] = _as_python(tree["data"])
    out = ['<?xml version="1.0" encoding="UTF-8"?>\n<Response>']
    for name, value in tree.items():
        frame = _FRAME[name]
        if name == "paging":
            value = {_PAGING[key]: link for key, link in value.items()}
        _write(out, frame, value, item_name="Item")
    if "paging" not in tree and (is_page or isinstance(tree["data"], list)):
        # Readers of lists look into Paging without asking whether it is there.
        out.append("<Paging></Paging>")
    out.append("</Response>\n")
    return "".join(out).encode("utf-8")


def _as_python(told: dict[str, Any]) -> str:
    """An object as the original printed those for which it had no elements: {u'name': u'text', u'other': 5}."""

    def shown(value: Any) -> str:
        return f"u{value!a}" if isinstance(value, str) else ascii(value)

    return "{" + ", ".join(f"{shown(name)}: {shown(value)}" for name, value in told.items()) + "}"


def to_root_xml(data: msgspec.Struct) -> bytes:
    """An answer in XML as the generation before wrote it: a `root` with status 0 and what there is to tell.

    A struct may name fields of its own in `ATTRIBUTES`, which become attributes where they have a value, and one in
    `CONTENT`, which becomes the text of its element. A list repeats the element of its name; null is an empty one.
    """
    return _root("0", data)


def to_root_failure(code: int, message: str) -> bytes:
    """A refusal in XML as the generation before wrote it: its code as the status, and the sentence."""
    return _root(str(code), {"error_message": message})


def _root(status: str, told: Any) -> bytes:
    out = [f'<?xml version="1.0" encoding="UTF-8"?>\n<root><status>{status}</status>']
    _write_inside(out, told)
    out.append("</root>\n")
    return "".join(out).encode("utf-8")


def _write_struct(out: list[str], name: str, value: Any) -> None:
    attributes = "".join(
        f' {field}="{_text(str(found), quoted=True)}"'
        for field in getattr(value, "ATTRIBUTES", ())
        if (found := getattr(value, field)) is not None
    )
    out.append(f"<{name}{attributes}>")
    _write_inside(out, value)
    out.append(f"</{name}>")


def _write_inside(out: list[str], value: Any) -> None:
    if isinstance(value, msgspec.Struct):
        content = getattr(value, "CONTENT", "")
        beside = (*getattr(value, "ATTRIBUTES", ()), content)
        inside = {field: getattr(value, field) for field in value.__struct_fields__ if field not in beside}
        value = getattr(value, content) if content else inside
    if isinstance(value, dict):
        for field, found in value.items():
            for item in found if isinstance(found, list) else (found,):
                _write_struct(out, field, item)
    elif value is not None:
        out.append(_text(str(value)))


def _write(out: list[str], name: str, value: Any, item_name: str | None = None) -> None:
    if _XML_NAME.fullmatch(name):
        start, end = f"<{name}>", f"</{name}>"
    else:
        # A name out of data, such as a carrier's, need not be a name of XML.
        start, end = f'<entry name="{_text(name, quoted=True)}">', "</entry>"
    out.append(start)
    if isinstance(value, dict):
        for key, item in value.items():
            _write(out, key, item)
    elif isinstance(value, list):
        for item in value:
            if isinstance(item, dict) and len(item) == 1:
                _write(out, *next(iter(item.items())))
            else:
                # Several names laid flat would run into those of the next item.
                _write(out, item_name or name, item)
    elif value is not None:
        out.append(_text(str(value)))
    out.append(end)


def _text(text: str, quoted: bool = False) -> str:
    return escape(_ILLEGAL_XML.sub("\ufffd", text), {'"': "&quot;"} if quoted else {})
