"""XML that would exhaust memory or read other files never gets past the door."""

from pathlib import Path

import pytest

from ecgdash.errors import CorruptFile, FileTooLarge
from ecgdash.io import read_ecg

ROOTS = {
    "muse-xml": "RestingECG",
    "philips-sierra": "restingecgdata",
    "hl7-aecg": "AnnotatedECG",
}


def bomb(root: str) -> str:
    levels = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 10))
    return (
        f'<?xml version="1.0"?><!DOCTYPE {root} [<!ENTITY e0 "boom">{levels}]><{root}>&e9;</{root}>'
    )


def external(root: str, target: Path) -> str:
    return (
        f'<?xml version="1.0"?><!DOCTYPE {root} [<!ENTITY x SYSTEM "{target.as_uri()}">]>'
        f"<{root}>&x;</{root}>"
    )


@pytest.mark.parametrize("root", ROOTS.values(), ids=list(ROOTS))
def test_entity_bombs_are_refused(root, tmp_path):
    path = tmp_path / "bomb.xml"
    path.write_text(bomb(root))
    with pytest.raises(CorruptFile, match="declares entities"):
        read_ecg(path)


@pytest.mark.parametrize("root", ROOTS.values(), ids=list(ROOTS))
def test_external_entities_are_refused(root, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret")
    path = tmp_path / "external.xml"
    path.write_text(external(root, secret))
    with pytest.raises(CorruptFile, match="declares entities") as caught:
        read_ecg(path)
    assert "the secret" not in str(caught.value)


@pytest.mark.parametrize("root", ROOTS.values(), ids=list(ROOTS))
def test_the_decoder_behind_refuses_bombs_too(root, tmp_path):
    from ecgdatakit.exceptions import ECGDataKitError
    from ecgdatakit.parsing import FileParser

    path = tmp_path / "bomb.xml"
    path.write_text(bomb(root))
    with pytest.raises(ECGDataKitError, match="(?i)entit|malformed"):
        FileParser.parse(path)


@pytest.mark.parametrize("content", ["<RestingECG><a></RestingECG>", "<RestingECG>", "<RestingECG"])
def test_broken_xml_is_refused(content, tmp_path):
    path = tmp_path / "broken.xml"
    path.write_text(content)
    with pytest.raises(CorruptFile, match=r"^broken.xml: "):
        read_ecg(path)


@pytest.mark.parametrize("root", ["RestingECG", "AnnotatedECG", "restingecgdata", "CardiologyXML"])
@pytest.mark.parametrize(
    "body", ["<a/>" * 400_001, "<a " + " ".join(f'b{i}="1"' for i in range(400_001)) + "/>"]
)
def test_trees_that_would_fill_memory_are_refused_unparsed(root, body, tmp_path):
    (tmp_path / "a.xml").write_text(f"<{root}>{body}</{root}>")
    with pytest.raises(FileTooLarge, match="more than 400000 tags or attributes"):
        read_ecg(tmp_path / "a.xml")


def test_xml_beyond_its_limit_is_refused_unread(tmp_path):
    (tmp_path / "a.xml").write_text("<RestingECG>" + " " * (16 * 1024 * 1024) + "</RestingECG>")
    with pytest.raises(FileTooLarge, match="larger than 16 MB"):
        read_ecg(tmp_path / "a.xml")
