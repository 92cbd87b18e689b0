"""Patient ids behind a keyed hash: what an import stores where the site gave a key."""

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from ecgdash.domain.ecg import EcgRecord, normalise_patient_id
from ecgdash.domain.patient import Diagnosis, EchoNotes, EchoStudy
from ecgdash.errors import InvalidValue
from ecgdash.settings import Settings
from ecgdash.store import Store, StoredPatient

__all__ = ["Pseudonyms", "find_by_original_id", "resolve"]

_HEX_DIGITS: Final = 20
_SHORTEST_IN_TEXT: Final = 4
_LONGEST_VALUE: Final = 5
_PREFIX: Final = "(?:p|pid|pat|patient|sub|subj|subject|mrn|id)"
_NAMED: Final = r"(?:pid|patient|subject|mrn|id)[\W_]{0,3}"
_START, _END = r"(?<![^\W_])", r"(?![^\W_])"
"""Not between letters or digits; `_` and `-` end a token in names of files."""
_NO_DECIMAL: Final = (r"(?<!\d[.,])", r"(?![.,]\d*[1-9])")
"""12.5 and 0.125 are measured values, not ids."""


@dataclass(frozen=True)
class Pseudonyms:
    """Replaces the patient ids of one site by "P" and the first 20 hex digits of HMAC-SHA256.

    - *Keyed*, because ids are few and regular: of a plain hash anyone could try all of them.
      Without the key nobody can go back, this software included.
    - *Per site*, because two hospitals give one id to two people; they stay two.
    - *80 bits* suffice: among ten million patients two share a pseudonym with a probability
      of 4e-11, and guessing needs the key anyway.
    - A lost or changed key cannot be made up for: later imports cannot join the patients of
      earlier ones.

    Everything goes through once: a second call hashes the hash. That is the caller's duty.
    Names and birth dates are dropped whatever the settings say, for beside them a pseudonym
    would hide nothing.

    Parameters
    ----------
    key : str
        The site's secret.
    site : str
        As the store writes it.
    """

    key: str = field(repr=False)
    site: str

    @classmethod
    def of_settings(cls, settings: Settings, site: str) -> "Pseudonyms | None":
        """Return what replaces the site's ids; None where ids are kept."""
        key = settings.id_key
        return None if key is None else cls(key.get_secret_value(), site)

    @property
    def mark(self) -> str:
        """A fingerprint of key and site, by which calls with different keys can be told apart."""
        return self._digest("\0mark")[:16]

    def of(self, patient_id: str) -> str:
        """Return the pseudonym of an id.

        Raises
        ------
        InvalidValue
            If the id is empty: all who have none would become one person.
        """
        normal = normalise_patient_id(patient_id)
        if normal is None:
            raise InvalidValue("an empty patient id has no pseudonym")
        return "P" + self._digest(normal)[:_HEX_DIGITS]

    def _digest(self, text: str) -> str:
        message = f"{self.site}\0{text}".encode("utf-8", "surrogatepass")
        key = self.key.encode("utf-8", "surrogatepass")
        return hmac.new(key, message, hashlib.sha256).hexdigest()

    def record(self, record: EcgRecord) -> EcgRecord:
        """Return the ECG under its pseudonym, without identity, its id taken out of all texts.

        A record without id keeps its texts: nothing tells what in them would be one.
        """
        code = normalise_patient_id(record.patient_id)
        if code is None:
            return record if record.identity is None else replace(record, identity=None)
        alias = self.of(code)
        return replace(
            record,
            patient_id=alias,
            identity=None,
            source_name=_in_name(record.source_name, code, alias),
            statements=_in_texts(record.statements, code, alias),
            notes=_in_texts(record.notes, code, alias),
            device=record.device and _in_text(record.device, code, alias),
            filters=record.filters and _in_text(record.filters, code, alias),
        )

    def text(self, text: str, patient_id: str | None) -> str:
        """Return the name of a file with the id replaced, in any of the ways names write it."""
        code = normalise_patient_id(patient_id)
        return text if code is None else _in_name(text, code, self.of(code))

    def echo(self, study: EchoStudy) -> EchoStudy:
        """Return the echo under its pseudonym, its id taken out of the report."""
        alias = self.of(study.patient_id)
        report = study.report
        if report is not None:
            code = normalise_patient_id(study.patient_id) or ""
            report = EchoNotes(
                _in_text(report.text, code, alias),
                _in_texts(report.wall_motion, code, alias),
                _in_texts(report.pulmonary_pressure, code, alias),
            )
        return replace(study, patient_id=alias, report=report)

    def diagnosis(self, diagnosis: Diagnosis) -> Diagnosis:
        """Return the diagnosis under its pseudonym."""
        return replace(diagnosis, patient_id=self.of(diagnosis.patient_id))


def resolve(
    reference: str, settings: Settings, sites: Iterable[str] = ("local",)
) -> tuple[str, ...]:
    """Return what the store may know a patient by whom a user names by the original id.

    Parameters
    ----------
    reference : str
        A key of the store, a pseudonym, an original id, or SITE/ID.
    settings : Settings
    sites : iterable of str
        Where an id without a site may be from.

    Returns
    -------
    tuple of str
        `reference` itself, then SITE/PSEUDONYM for each site; the reference alone where
        ids are kept.
    """
    if settings.id_key is None:
        return (reference,)
    pairs = [(site, reference) for site in sites]
    # Sites and ids may hold slashes themselves.
    parts = reference.split("/")
    pairs += [("/".join(parts[:cut]), "/".join(parts[cut:])) for cut in range(1, len(parts))]
    found = [reference]
    for site, code in pairs:
        hidden = Pseudonyms.of_settings(settings, site)
        if hidden is not None and normalise_patient_id(code) is not None:
            found.append(f"{site}/{hidden.of(code)}")
    return tuple(dict.fromkeys(found))


def find_by_original_id(store: Store, reference: str, settings: Settings) -> list[StoredPatient]:
    """Return the patients that a key, an id as stored, or an original id names, each once."""
    sites = () if settings.id_key is None else store.sites()
    found: dict[str, StoredPatient] = {}
    for one in resolve(reference, settings, sites):
        found |= {patient.key: patient for patient in store.find_patients(one)}
    return list(found.values())


def _in_name(name: str, code: str, alias: str) -> str:
    return _name_pattern(code).sub(alias, name)


def _in_text(text: str, code: str, alias: str) -> str:
    return _text_pattern(code).sub(rf"\g<kept>{alias}", text)


def _in_texts(texts: tuple[str, ...], code: str, alias: str) -> tuple[str, ...]:
    return tuple(_in_text(text, code, alias) for text in texts)


def _name_pattern(code: str) -> re.Pattern[str]:
    """Find an id in the name of a file, which may write other separators and other zeros."""
    words = re.findall(r"[^\W_]+", code) or [code]
    plain = [re.escape(word) for word in words]
    if len(words) == 1 and words[0].isdecimal():
        plain = ["0*" + (words[0].lstrip("0") or "0")]
    literal = r"[\W_]?".join(plain)
    return re.compile(f"{_START}{_PREFIX}?{literal}{_END}", re.IGNORECASE)


def _text_pattern(code: str) -> re.Pattern[str]:
    """Find an id in what a cart or a person wrote.

    A short one, such as 63, only behind a word that says what it is: elsewhere it is the
    heart rate, and taking that out would spoil the statement and hide nobody.
    """
    literal = "0*" * code.isdecimal() + re.escape(code)
    if len(code) < _SHORTEST_IN_TEXT:
        named = f"{_START}(?P<kept>{_NAMED}){literal}{_END}"
        return re.compile(named, re.IGNORECASE)
    before, after = _NO_DECIMAL if len(code) <= _LONGEST_VALUE else ("", "")
    plain = f"{_START}{before}(?P<kept>){_PREFIX}?{literal}{_END}{after}"
    return re.compile(plain, re.IGNORECASE)
