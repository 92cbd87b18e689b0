"""The service hands over what was recognised, by a saved mapping where one is named."""

import pytest

from ecgdash.errors import TableError
from ecgdash.io.profiles import Mapping, save_mapping
from ecgdash.services.import_profiles import found_data_sets
from ecgdash.settings import Settings


def test_a_saved_mapping_replaces_the_offered_one(tmp_path):
    data, saved = tmp_path / "data", tmp_path / "saved"
    data.mkdir()
    (data / "t.csv").write_text("file,patient_id,mrn\na.xml,1,2\n", encoding="utf-8")
    columns = (("file", "file"), ("mrn", "patient_id"))
    save_mapping(Mapping("manifest", columns), saved, "ours")
    (plain,) = found_data_sets(data, Settings())
    assert plain.facts_for("a.xml").patient_id == "1"
    (mapped,) = found_data_sets(data, Settings(), saved, "ours")
    assert mapped.facts_for("a.xml").patient_id == "2"
    with pytest.raises(TableError, match="no saved mapping of that name"):
        found_data_sets(data, Settings(), saved, "theirs")
