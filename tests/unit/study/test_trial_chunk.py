from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from livingdrug.core.assessment import Endpoint, ResponseCourse, SubjectTables
from livingdrug.study import trial_chunk, trial_chunk_assessment
from livingdrug.study.trial_chunk import compute_chunk, list_tasks
from livingdrug.study.trial_chunk_assessment import Judged, name_lineage_switches
from livingdrug.study.trial_chunk_treatment import choose_model, draw_given, sample_arm, schedule_given
from livingdrug.study.trial_chunk_visits import plan_visits
from livingdrug.study.trial_design import Accrual, Arm, AssayChange, Deaths, TrialDesign, TrialEvent, Visits

N = 60
ARM = Arm("axi", "axi_cel", N)
NOBODY_DIES = Deaths(0.0, 0.0)
DESIGN = TrialDesign("One arm", "lbcl", 400.0, 5, (ARM,), "lugano/2014", deaths=NOBODY_DIES)
PUBLISHED = replace(DESIGN, arms=(replace(ARM, n=120),), days=730.0, deaths=Deaths())


def simulate(design=DESIGN, **changes):
    changed = replace(design, **changes)
    return compute_chunk(next(list_tasks(changed)))


def change_arm(**changes):
    return {"arms": (replace(ARM, **changes),)}


@pytest.fixture(scope="module")
def usual():
    return simulate()


def test_everybody_has_one_row_and_is_followed_to_the_end(usual):
    assert usual["subject_id"].n_unique() == N
    assert usual["follow_up_day"].to_list() == [400.0] * N
    assert usual["death_day"].null_count() == N


def test_overall_survival_ends_with_the_last_contact(usual):
    assert usual["os_time"].to_list() == [400.0] * N
    assert not usual["os_event"].any()


def test_a_cut_off_ends_follow_up_and_nothing_is_known_after_it():
    cut = simulate(accrual=Accrual(300.0, 350.0))
    assert (cut["infusion_day"] <= 300).all()
    assert cut["follow_up_day"].to_list() == (350.0 - cut["infusion_day"]).to_list()
    assert (cut["os_time"] == cut["follow_up_day"]).all()
    assert (cut["last_assessment_day"].drop_nulls() <= 350).all()


def test_a_patient_who_leaves_is_censored_on_that_day():
    found = simulate(dropout_per_year=1.0)
    left = found.filter(pl.col("dropout_day").is_not_null())
    assert 0.3 * N < len(left) < N
    assert (left["os_time"] == left["dropout_day"]).all()
    assert not left["os_event"].any()
    assert (left["last_assessment_day"].drop_nulls() <= left.drop_nulls("last_assessment_day")["dropout_day"]).all()


def test_death_is_an_event_of_survival():
    found = simulate(deaths=Deaths(1.0, 0.0))
    died = found.filter(pl.col("death_day").is_not_null())
    assert 0.3 * N < len(died) < N
    assert (died["os_time"] == died["death_day"]).all()
    assert died["os_event"].all()
    assert died["pfs_event"].sum() > 0.9 * len(died)


def test_death_after_progression_needs_a_progression(usual):
    found = simulate(deaths=Deaths(0.0, 5.0))
    died = found.filter(pl.col("death_day").is_not_null())
    assert len(died) > 5
    known = died.join(usual, on="subject_id")["progression_day_right"]
    assert (died["death_day"] > known).all()


@pytest.fixture(scope="module")
def published():
    return simulate(PUBLISHED)


def test_without_stated_hazards_patients_die_as_published(published):
    never = simulate(PUBLISHED, deaths=NOBODY_DIES)
    died = published["death_day"].is_not_null()
    has_progressed = published["progression_day"].is_not_null()
    assert 2 <= (died & ~has_progressed).sum() < 25
    assert 0.5 < died.filter(has_progressed).mean() < 1.0
    assert published["os_event"].to_list() == died.to_list()
    both = published.join(never, on="subject_id").drop_nulls("progression_day")
    assert (both["progression_day"] == both["progression_day_right"]).all()
    assert (both["death_day"].drop_nulls() > both.drop_nulls("death_day")["progression_day"]).all()


@pytest.mark.parametrize("disease", ["lbcl", "b_all", "myeloma"])
def test_judging_again_only_those_who_die_later_gives_what_judging_all_does(disease, monkeypatch):
    product, criteria = {"lbcl": ("axi_cel", "lugano/2014"), "b_all": ("tisa_cel", "all/nccn-eln")}.get(
        disease, ("ide_cel", "imwg/2016")
    )
    design = TrialDesign("x", disease, 500.0, 2, (Arm("a", product, 50),), criteria)
    found = simulate(design)
    monkeypatch.setattr(trial_chunk, "find_changed", lambda before, _: np.ones(len(before.end), dtype=bool))
    assert simulate(design).equals(found)


@pytest.mark.parametrize(("response", "known"), [(None, 28.0), (60.0, None)])
def test_leukaemia_that_never_remits_has_failed_without_a_progression(response, known):
    course = ResponseCourse("NR", 28.0, "NR", response, response, None, None)
    lack = Endpoint("no_remission", "event", 28.0, "Y", "no remission by day 28", 0.0)
    judged = Judged(SubjectTables({}, pl.DataFrame(), pl.DataFrame()), course, (), (lack,))
    assert np.isnan(judged.progression_known)
    assert judged.failure_known == known or (known is None and np.isnan(judged.failure_known))


def test_a_switch_of_lineage_is_a_relapse_that_was_measured_to_lack_the_antigen():
    relapse = pl.DataFrame(
        {
            "failure": ["late_relapse", "late_relapse", "primary_resistance", "late_relapse", "none"],
            "failure_mechanism": ["antigen_negative", "car_loss", "antigen_negative", "antigen_negative", None],
        }
    )
    named = name_lineage_switches(relapse, np.array([True, True, True, False, True]))
    told = ["lineage_switch", "car_loss", "antigen_negative", "antigen_negative", None]
    assert named["failure_mechanism"].to_list() == told


def test_dose_burden_and_lymphodepletion_change_what_they_name():
    chosen = choose_model("lbcl", ARM)
    names = chosen.model.parameter_names
    usual, changed = (
        sample_arm(chosen, arm, 0, 8, 1)
        for arm in (ARM, replace(ARM, dose_factor=2.0, burden_factor=0.5, lymphodepletion=0.0))
    )
    differs = {name for i, name in enumerate(names) if not np.array_equal(usual[:, i], changed[:, i])}
    assert differs == {"dose", "B0", "N0"}
    place = names.index
    assert np.allclose(changed[:, place("dose")], 2 * usual[:, place("dose")])
    assert np.allclose(changed[:, place("N0")], usual[:, place("KN")])
    fixed = sample_arm(chosen, replace(ARM, cells=1e8), 0, 8, 1)
    assert (fixed[:, place("dose")] == 1e8).all()


def test_more_tumour_is_never_better_and_no_lymphodepletion_is_worse(usual):
    heavy, bare = simulate(**change_arm(burden_factor=10.0)), simulate(**change_arm(lymphodepletion=0.0))
    responses = [(table["response"] == "Y").sum() for table in (usual, heavy, bare)]
    assert responses[0] > responses[1]
    assert responses[0] > responses[2]


def test_events_come_on_each_patients_own_day():
    arm = replace(ARM, events=(TrialEvent("second_infusion", after=7.0), TrialEvent("tocilizumab", day=3.0, share=0.5)))
    chosen = choose_model("lbcl", arm)
    progression = np.array([np.nan, 28.0, 91.0])
    given = draw_given(arm, 0, 3, 1, progression)
    assert np.array_equal(given[0].days, [np.nan, 35.0, 98.0], equal_nan=True)
    schedule = schedule_given(chosen, sample_arm(chosen, arm, 0, 3, 1), given)
    days = [schedule.day[a:b].tolist() for a, b in zip(schedule.offsets, schedule.offsets[1:], strict=False)]
    second = [[day for day in own if day > 20] for own in days]
    assert second == [[], [35.0], [98.0]]
    assert all(own == sorted(own) for own in days)


def test_about_the_stated_share_gets_an_event():
    arm = replace(ARM, events=(TrialEvent("tocilizumab", day=3.0, share=0.3),))
    days = draw_given(arm, 0, 4000, 1, np.full(4000, np.nan))[0].days
    assert np.isfinite(days).mean() == pytest.approx(0.3, abs=0.03)


def test_a_second_infusion_at_progression_leaves_the_progression_as_it_was(usual):
    again = simulate(**change_arm(events=(TrialEvent("second_infusion", after=14.0),)))
    both = usual.join(again, on="subject_id")
    treated = both.filter(pl.col("next_therapy_day_right").is_not_null())
    assert len(treated) > 10
    assert (treated["progression_day"] == treated["progression_day_right"]).all()
    assert (treated["next_therapy_day_right"] == treated["progression_day"] + 14).all()
    assert (both["response"] == both["response_right"]).all()


def test_a_second_product_uses_the_model_with_two_targets():
    arm = replace(ARM, events=(TrialEvent("other_car_t", day=60.0),))
    assert choose_model("lbcl", arm).model.name == "unified_two_targets"
    assert simulate(arms=(arm,))["outcome"].unique().to_list() == ["done"]


def test_visits_and_assays_may_be_changed():
    visits = Visits(every=60.0, attendance=1.0, assays=(AssayChange("b_cells", is_measured=False),))
    plan = plan_visits(replace(DESIGN, visits=visits))
    assert plan.attendance == 1.0
    assert "b_cells" not in {assay.variable for assay in plan.assays}
    spd = next(assay for assay in plan.assays if assay.variable == "tumour_spd")
    assert spd.days[:3] == (-7.0, 60.0, 120.0)
    noisy = plan_visits(
        replace(DESIGN, visits=Visits(assays=(AssayChange("tumour_spd", days=(-7.0, 30.0), lloq=5.0),)))
    )
    spd = next(assay for assay in noisy.assays if assay.variable == "tumour_spd")
    assert (spd.days, spd.lloq) == ((-7.0, 30.0), 5.0)


def test_options_reach_the_endpoints(usual):
    arms = change_arm(events=(TrialEvent("next_therapy", day=60.0),))
    cut, counted = (simulate(options={"new_therapy": choice}, **arms) for choice in ("censor", "event"))
    assert counted["pfs_event"].sum() > cut["pfs_event"].sum()


MYELOMA = TrialDesign(
    "One arm",
    "myeloma",
    500.0,
    2,
    (Arm("ide", "ide_cel", 40),),
    "imwg/2016",
    dropout_per_year=0.2,
    deaths=Deaths(0.1, 0.5),
)


def test_a_cohort_with_myeloma_is_judged_as_its_patients_are_one_at_a_time(monkeypatch):
    at_once = simulate(MYELOMA)
    monkeypatch.setattr(trial_chunk_assessment, "MYELOMA", "no family")
    assert simulate(MYELOMA).equals(at_once)


def test_a_product_that_was_planned_is_no_new_therapy():
    event = TrialEvent("other_car_t", day=10.0)
    arms = [Arm("ide", "ide_cel", 25, events=(replace(event, is_planned=planned),)) for planned in (False, True)]
    new, planned = (simulate(MYELOMA, arms=(arm,)) for arm in arms)
    assert new["next_therapy_day"].to_list() == [10.0] * 25
    assert planned["next_therapy_day"].null_count() == 25
    assert (new["response"] == "Y").sum() < (planned["response"] == "Y").sum()


def test_leukaemia_has_the_counts_that_its_criteria_ask_for():
    found = simulate(TrialDesign("x", "b_all", 200.0, 1, (Arm("tisa", "tisa_cel", 40),), "all/nccn-eln"))
    assert 0.5 < (found["response"] == "Y").mean() < 1.0
    assert set(found["best_response"]) <= {"CR", "CRh", "CRi", "MLFS", "PR", "NR", "REL"}
