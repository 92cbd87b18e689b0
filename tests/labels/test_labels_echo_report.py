"""LVEF from free text: written cases, the misleading ones included, each with the span read."""

import pytest

from ecgdash.labels.echo_report import read_echo_report

# text, LVEF in percent or None, method or None where the text names none
CASES = (
    # plain
    ("LVEF 55%", 55, "unknown"),
    ("LVEF: 35 %", 35, "unknown"),
    ("EF = 45 %", 45, "unknown"),
    ("L.V.E.F. 48%", 48, "unknown"),
    ("Ejection Fraction: 60 %", 60, "unknown"),
    ("LV ejection fraction of 52 percent", 52, "unknown"),
    ("Left ventricular ejection fraction is 33%.", 33, "unknown"),
    ("Left ventricular systolic ejection fraction was 41 %.", 41, "unknown"),
    ("with an ejection fraction of 25%", 25, "unknown"),
    ("55% ejection fraction", 55, "unknown"),
    ("Normal LV size. 60% EF.", 60, "unknown"),
    ("LVEF of 15", 15, "unknown"),
    ("LVEF 62.4 %", 62.4, "unknown"),
    ("lvef - 38 %", 38, "unknown"),
    # fractions, ranges, bounds, spreads
    ("LVEF 0.35", 35, "unknown"),
    ("EF = 55-60%", 57.5, "unknown"),
    ("EF 25 – 30 %", 27.5, "unknown"),
    ("LVEF in the range of 40 to 45 percent", 42.5, "unknown"),
    ("LVEF between 30 and 35%", 32.5, "unknown"),
    ("LVEF 20% - 25%", 22.5, "unknown"),
    ("Normal LV systolic function, LVEF 60 ± 5%", 60, "unknown"),
    ("LVEF = 35% +/- 5%", 35, "unknown"),
    ("LVEF >55%", 55, "unknown"),
    ("LVEF is greater than 55 %", 55, "unknown"),
    ("EF<20%", 20, "unknown"),
    # methods, and their order
    ("LVEF: 35 % (Simpson biplane)", 35, "simpson"),
    ("EF (MOD-bp) 48.5 %", 48.5, "simpson"),
    ("LVEF by modified Simpson's rule 44%", 44, "simpson"),
    ("LVEF by method of discs: 39 %", 39, "simpson"),
    ("EF(Teich) 62 %", 62, "m-mode"),
    ("EF by M-mode 58%", 58, "m-mode"),
    ("Visual LVEF 60%", 60, "visual"),
    ("LVEF visually 30-35 %", 32.5, "visual"),
    ("Ejection Fraction: 60 % (Estimated)", 60, "visual"),
    ("The LVEF is estimated at 40 to 45 percent.", 42.5, "visual"),
    ("By eyeball the EF is 50%.", 50, "visual"),
    ("LVEF by biplane Simpson's 38%, by M-mode 45%, visually 40%", 38, "simpson"),
    ("EF visually 40%. EF by M-mode 46%.", 46, "m-mode"),
    ("EF (Teich) 51 %\nEF (biplane) 43 %\nEF visual 45 %", 43, "simpson"),
    # words of the trade in between
    ("LVEF is mildly reduced at 45 %", 45, "unknown"),
    ("LVEF appears severely depressed, approximately 20%", 20, "visual"),
    ("Overall LVEF remains stable at about 55%", 55, "unknown"),
    # numbers near the name that are something else
    ("LVEDD 55 mm, LVEF 30%", 30, "unknown"),
    ("FS 25%. EF 45%", 45, "unknown"),
    ("GLS -18 %, EF 58 %", 58, "unknown"),
    ("E/e' 15, LVEF 55", 55, "unknown"),
    ("LVEF 40%, LVIDd 6.1 cm, RVSP 45 mmHg", 40, "unknown"),
    ("RVSP 45 mmHg", None, None),
    ("FS 28 %, LVEDD 52 mm", None, None),
    ("LVEF not measured, LVEDD 60 mm", None, None),
    ("LVEF, LVEDD 60 mm", None, None),
    ("RVEF 35%", None, None),
    ("RV ejection fraction 45%", None, None),
    ("right ventricular ejection fraction 45 %", None, None),
    ("LA emptying fraction 40%", None, None),
    ("Left atrial ejection fraction 38%", None, None),
    ("Reference 52-72 %", None, None),
    # reference ranges
    ("LVEF (normal > 55%): 42%", 42, "unknown"),
    ("LVEF 42 % (normal 52-72)", 42, "unknown"),
    ("EF [ref 52-72]: 61 %", 61, "unknown"),
    # other days
    ("LVEF was 35 % in 2019.", None, None),
    ("LVEF was 35% in March 2019, now 50%.", 50, "unknown"),
    ("EF improved from 35% to 50%.", 50, "unknown"),
    ("LVEF has declined from 55 % to 30 %", 30, "unknown"),
    ("Compared with the prior study the LVEF has increased from 30% to 45%", 45, "unknown"),
    ("Prior LVEF 30%; today LVEF 45%.", 45, "unknown"),
    ("LVEF is 45%, previously 30%", 45, "unknown"),
    ("Previously EF was 25%, now 40%", 40, "unknown"),
    ("LVEF: 45 (2018: 30)", 45, "unknown"),
    ("History of LVEF 20 %.", None, None),
    ("LVEF 30% six months ago", None, None),
    ("Known cardiomyopathy (LVEF 25%)", None, None),
    # conditions, denials, impossible values
    ("ICD is indicated if LVEF < 35%", None, None),
    ("Consider MRI when the LVEF is below 40 %.", None, None),
    ("Patients with LVEF of 40% or less benefit", None, None),
    ("LVEF could not be assessed.", None, None),
    ("Unable to quantify the LVEF, 2 of 17 segments seen", None, None),
    ("LVEF 150%", None, None),
    ("LVEF 2 %", None, None),
    ("LV function is normal.", None, None),
    ("", None, None),
)  # fmt: skip


@pytest.mark.parametrize(("text", "percent", "method"), CASES)
def test_written_cases(text, percent, method):
    report = read_echo_report(text)
    if percent is None:
        assert report.lvef is None
        assert report.remark
        return
    assert report.lvef is not None
    assert (report.lvef.percent, report.lvef.method) == (percent, method)
    span = report.lvef.span
    assert text[span.start : span.stop] == span.text
    assert any(character.isdigit() for character in span.text)


def test_there_are_at_least_sixty_cases_and_a_third_mislead():
    assert len(CASES) >= 60
    assert sum(percent is None for _, percent, _ in CASES) >= 20


def test_values_of_one_method_that_contradict_each_other_give_none():
    report = read_echo_report("LVEF 35%\nLVEF 55%")
    assert report.lvef is None
    assert [reading.percent for reading in report.readings] == [35, 55]
    assert report.remark == "values of one method (unknown) contradict each other: 35, 55 %"


def test_a_bound_is_said_to_be_one():
    report = read_echo_report("LVEF > 55 %")
    assert (report.lvef.bound, report.remark) == (">", "only a bound is stated (> 55 %)")
    assert read_echo_report("EF < 20 %").lvef.bound == "<"


def test_wall_motion_and_pulmonary_pressure_are_kept_as_written():
    text = (
        "1. LVEF 35 % by biplane Simpson. Akinesis of the apex; inferior wall is hypokinetic.\n"
        "2. RVSP is estimated at 45-50 mmHg. Mild MR."
    )
    report = read_echo_report(text)
    assert report.lvef.percent == 35
    assert [found.text for found in report.wall_motion] == [
        "Akinesis of the apex",
        "inferior wall is hypokinetic",
    ]
    assert [found.text for found in report.pulmonary_pressure] == [
        "RVSP is estimated at 45-50 mmHg"
    ]
    for found in (*report.wall_motion, *report.pulmonary_pressure):
        assert text[found.start : found.stop] == found.text


def test_a_hostile_text_ends_quickly():
    text = "ejection fraction " * 2_000 + "normal ( " * 5_000 + "1" * 5_000
    assert read_echo_report(text).lvef is None
