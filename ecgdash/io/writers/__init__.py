"""Files out: WFDB records and MUSE-like XML, both readable by other people's software."""

from ecgdash.io.writers.muse_xml import write_muse_xml
from ecgdash.io.writers.wfdb_files import write_wfdb

__all__ = ["write_muse_xml", "write_wfdb"]
