"""XML ECGs put together by hand, as the vendors' own files are laid out: not by our writers."""

import base64
import zlib
from pathlib import Path

import numpy as np

from tests.io import io_fixtures as made

EIGHT = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
N_SAMPLES = 1000


def _muse_lead(name: str, counts: np.ndarray) -> str:
    data = counts.astype("<i2").tobytes()
    return (
        f"<LeadData><LeadByteCountTotal>{len(data)}</LeadByteCountTotal>"
        f"<LeadTimeOffset>0</LeadTimeOffset>"
        f"<LeadSampleCountTotal>{len(counts)}</LeadSampleCountTotal>"
        f"<LeadAmplitudeUnitsPerBit>5</LeadAmplitudeUnitsPerBit>"
        f"<LeadAmplitudeUnits>MICROVOLTS</LeadAmplitudeUnits><LeadID>{name}</LeadID>"
        f"<LeadOffsetFirstSample>0</LeadOffsetFirstSample><LeadSampleSize>2</LeadSampleSize>"
        f"<LeadDataCRC32>{zlib.crc32(data)}</LeadDataCRC32>"
        f"<WaveFormData>\n{base64.encodebytes(data).decode()}</WaveFormData></LeadData>"
    )


def _muse_waveform(kind: str, rate: tuple[int, int], leads: dict[str, np.ndarray]) -> str:
    body = "".join(_muse_lead(name, counts) for name, counts in leads.items())
    return (
        f"<Waveform><WaveformType>{kind}</WaveformType><NumberofLeads>{len(leads)}</NumberofLeads>"
        f"<SampleType>CONTINUOUS_SAMPLES</SampleType><SampleBase>{rate[0]}</SampleBase>"
        f"<SampleExponent>{rate[1]}</SampleExponent><HighPassFilter>16</HighPassFilter>"
        f"<LowPassFilter>150</LowPassFilter><ACFilter>60</ACFilter>{body}</Waveform>"
    )


def write_muse(
    path: Path,
    *,
    rate: tuple[int, int] = (500, 0),
    names: tuple[str, ...] = EIGHT,
    kinds: tuple[str, ...] = ("Median", "Rhythm"),
) -> Path:
    """MUSE 9 as exported: rate is base and exponent of ten; medians are 300 samples of noise."""
    counts = made.make_counts(N_SAMPLES)
    rng = np.random.default_rng(8)
    waves = {
        "Median": {name: rng.integers(-99, 99, 300) for name in names},
        "Rhythm": {name: counts[name] for name in names},
    }
    body = "".join(_muse_waveform(kind, rate, waves[kind]) for kind in kinds)
    path.write_bytes(
        (
            '<?xml version="1.0" encoding="ISO-8859-1"?>\n'
            '<!DOCTYPE RestingECG SYSTEM "restecg.dtd">\n<RestingECG>'
            "<MuseInfo><MuseVersion>9.0.7.17363</MuseVersion></MuseInfo>"
            "<PatientDemographics><PatientID>P-007</PatientID><PatientAge>63</PatientAge>"
            "<AgeUnits>YEARS</AgeUnits><Gender>FEMALE</Gender>"
            "<PatientLastName>M\xfcller</PatientLastName></PatientDemographics>"
            "<TestDemographics><AcquisitionTime>14:30:05</AcquisitionTime>"
            "<AcquisitionDate>05-31-2024</AcquisitionDate></TestDemographics>"
            f"{body}</RestingECG>"
        ).encode("latin-1")
    )
    return path


def write_cardiosoft(path: Path, *, unit: str = "uVperLsb", n_stated: int = N_SAMPLES) -> Path:
    """CardioSoft 6: a median that is no rhythm, then the strip, numbers with commas."""
    counts = made.make_counts(N_SAMPLES)
    rng = np.random.default_rng(8)

    def waves(rows: dict[str, np.ndarray]) -> str:
        return "".join(
            f'<WaveformData lead="{name}">{",".join(map(str, row))}</WaveformData>'
            for name, row in rows.items()
        )

    median = {name: rng.integers(-99, 99, 600) for name in counts}
    path.write_text(
        '<?xml version="1.0" encoding="ISO8859-1" ?><CardiologyXML>'
        "<ObservationType>RestECG</ObservationType><ObservationDateTime><Hour>14</Hour>"
        "<Minute>30</Minute><Second>5</Second><Day>31</Day><Month>5</Month><Year>2024</Year>"
        "</ObservationDateTime><ClinicalInfo><DeviceInfo><Desc>CardioSoft</Desc>"
        "<SoftwareVer>V6.71</SoftwareVer></DeviceInfo></ClinicalInfo><PatientInfo><PID>P-007</PID>"
        "<Name><FamilyName>Doe</FamilyName></Name><Age>63</Age><Gender>FEMALE</Gender>"
        "<PaceMaker>yes</PaceMaker></PatientInfo><FilterSetting><CubicSpline>No</CubicSpline>"
        "<Filter50Hz>Yes</Filter50Hz><LowPass>150</LowPass></FilterSetting><Interpretation>"
        "<Diagnosis><DiagnosisText>Sinus rhythm</DiagnosisText></Diagnosis></Interpretation>"
        '<RestingECGMeasurements><VentricularRate units="BPM">75</VentricularRate>'
        '<QRSDuration units="ms">152</QRSDuration><RAxis units="degrees">-35</RAxis>'
        '<MedianSamples><NumberOfLeads>12</NumberOfLeads><SampleRate units="Hz">500</SampleRate>'
        "<ChannelSampleCountTotal>600</ChannelSampleCountTotal>"
        f'<Resolution units="uVperLsb">5</Resolution>{waves(median)}</MedianSamples>'
        "</RestingECGMeasurements><StripData><NumberOfLeads>12</NumberOfLeads>"
        '<SampleRate units="Hz">500</SampleRate>'
        f"<ChannelSampleCountTotal>{n_stated}</ChannelSampleCountTotal>"
        f'<Resolution units="{unit}">5</Resolution>{waves(counts)}</StripData></CardiologyXML>',
        encoding="latin-1",
    )
    return path
