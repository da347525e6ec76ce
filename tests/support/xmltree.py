"""Reads an XML answer back into the tree that its JSON twin has, to compare the two.

Independent of the writer: it knows only the rules of the format (docs/api-design.md) and takes from the JSON
tree nothing but what XML cannot say, that is where a list has one entry or none and what kind a leaf is.
"""

from __future__ import annotations

import ast
from typing import Any

from lxml import etree

FRAME = {"message": "Message", "code": "Code", "data": "Data", "paging": "Paging", "type": "Type"}


def differences(json_tree: Any, xml: bytes) -> list[str]:
    """Where an XML answer says something else than the JSON answer of the same call."""
    root = etree.fromstring(xml)
    if root.tag != "Response":
        return [f"the root is {root.tag}"]
    found = []
    names = [child.tag for child in root]
    for key, value in json_tree.items():
        if (count := names.count(FRAME[key])) != 1:
            found.append(f"{FRAME[key]} is there {count} times")
            continue
        element = root.find(FRAME[key])
        if key == "paging":
            value = {name.capitalize(): _any_page(link) for name, link in value.items()}
        found += _compare(element, value, FRAME[key])
    extra = set(names) - {FRAME[key] for key in json_tree} - {"Paging"}
    return found + [f"{name} is not in the JSON" for name in sorted(extra)]


def _any_page(link: str) -> Any:
    return lambda text: text.replace("&format=xml", "") == link.replace("&format=json", "")


def _compare(element: Any, value: Any, where: str) -> list[str]:
    children = list(element)
    if isinstance(value, dict) and not children and (element.text or "").startswith("{u'"):
        return [] if ast.literal_eval(element.text) == value else [f"{where}: {element.text} stands for {value}"]
    if isinstance(value, list):
        own_name = "Item" if where == FRAME["data"] else element.get("name", element.tag)
        return _compare_list(children, value, own_name, where)
    if isinstance(value, dict):
        found = []
        if len(children) != len(value):
            found.append(f"{where}: {len(children)} elements for {len(value)} names")
        for child, (name, inner) in zip(children, value.items(), strict=False):
            if child.get("name", child.tag) != name:
                found.append(f"{where}: {child.tag} stands for {name}")
            found += _compare(child, inner, f"{where}/{name}")
        return found
    text = element.text or ""
    if callable(value):
        return [] if value(text) else [f"{where}: {text!r}"]
    said = "" if value is None else str(value)
    return [] if text == said and not children else [f"{where}: {text!r} for {said!r}"]


def _compare_list(children: list[Any], items: list[Any], own_name: str, where: str) -> list[str]:
    if len(children) != len(items):
        return [f"{where}: {len(children)} elements for {len(items)} items"]
    found = []
    for child, item in zip(children, items, strict=True):
        if isinstance(item, dict) and len(item) == 1:
            ((name, inner),) = item.items()
        else:
            name, inner = own_name, item
        found += [] if child.get("name", child.tag) == name else [f"{where}: {child.tag} for {name}"]
        found += _compare(child, inner, f"{where}/{name}")
    return found
