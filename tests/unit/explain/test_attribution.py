from dataclasses import replace

import numpy as np
import pytest

from livingdrug.core.outcome import Mechanism
from livingdrug.explain.answer import choose_answer
from livingdrug.explain.attribution import Attribution, attribute_failure, compute_interval, compute_winners
from livingdrug.explain.coalitions import compute_shapley, list_coalitions
from livingdrug.explain.mechanisms import AFTER_PEAK, CATALOGUE, Candidate, compute_reference
from livingdrug.explain.switches import Experiment, compare_switches, select_candidates, switch_off
from livingdrug.fit.problem import Free
from livingdrug.models.unified.model import UNIFIED

FREE = (
    Free("kill", 0, "lognormal", 1.0, 1.0),
    Free("loss", 1, "lognormal", 1.0, 1.0),
    Free("escape", 2, "lognormal", 0.01, 1.0),
)
NAMES = ("kill", "loss", "escape", "marker")
TOY = (
    Candidate(Mechanism.POTENCY, "low potency", (("kill", "higher"),)),
    Candidate(Mechanism.PERSISTENCE, "lost persistence", (("loss", "lower"),)),
    Candidate(Mechanism.ANTIGEN_NEGATIVE, "antigen loss", (("escape", "absent"),)),
)


def assess(parameters):
    """Fail where killing over loss is low, or the escaping share is high."""
    control = np.log(parameters[:, 0]) - np.log(parameters[:, 1])
    return 1 - (control > -1) * (parameters[:, 2] < 0.1)


def draws(kill=1.0, loss=1.0, escape=0.01, count=40):
    return np.tile([kill, loss, escape, 5.0], (count, 1))


def attribute(parameters, **options):
    return attribute_failure(parameters, NAMES, FREE, TOY, assess, origin=np.arange(len(parameters)), **options)


@pytest.mark.parametrize(
    ("departure", "mechanism"),
    [({"kill": 0.05}, "potency"), ({"loss": 20.0}, "persistence"), ({"escape": 0.3}, "antigen_negative")],
)
def test_the_only_departure_is_the_reason(departure, mechanism):
    result = attribute(draws(**departure))
    assert result.shares[0].name == mechanism
    assert result.shares[0].probability == pytest.approx(1.0, abs=0.03)
    assert result.shares[0].reduction == pytest.approx(1.0)
    assert result.unexplained < 0.01


def test_two_mechanisms_that_each_rescue_share_the_draw():
    result = attribute(draws(kill=0.6, loss=1.8))
    assert [s.probability for s in result.shares[:2]] == pytest.approx([0.5, 0.5], abs=0.01)


def test_two_mechanisms_that_rescue_only_together_share_the_draw_and_neither_rescues_alone():
    result = attribute(draws(kill=0.02, escape=0.3))
    shares = {s.name: s for s in result.shares}
    assert shares["potency"].share == pytest.approx(0.5)
    assert shares["antigen_negative"].share == pytest.approx(0.5)
    assert max(s.rescue for s in result.shares) < 0.01
    assert set(result.ties) == {"potency", "antigen_negative"}


def test_one_fix_that_suffices_is_the_rescue():
    rescues = {s.name: s.rescue for s in attribute(draws(kill=0.05)).shares}
    assert rescues["potency"] == pytest.approx(1.0)
    assert rescues["antigen_negative"] == pytest.approx(0.0)


def test_the_reference_improves_until_the_failure_is_averted():
    def stubborn(parameters):
        return 1.0 - (parameters[:, 0] > 1.5)

    result = attribute_failure(draws(kill=0.05), NAMES, FREE, TOY, stubborn, origin=np.arange(40), levels=(0.5, 0.75))
    assert result.shares[0].name == "potency"
    too_low = attribute_failure(draws(kill=0.05), NAMES, FREE, TOY, stubborn, origin=np.arange(40), levels=(0.5,))
    assert too_low.unexplained > 0.9


def test_when_nothing_averts_the_failure_nothing_is_the_reason():
    result = attribute_failure(draws(kill=0.05), NAMES, FREE, TOY, lambda p: np.ones(len(p)), origin=np.arange(40))
    assert result.unexplained > 0.97
    assert choose_answer(result, TOY, []).answered is None


def test_an_answer_may_be_withheld():
    answer = choose_answer(attribute(draws(kill=0.05)), TOY, ["pd1_tim3_fraction"], withheld="too few rows")
    assert (answer.answered, answer.reason) == (None, "too few rows")


def test_shapley_values_agree_with_the_mean_over_all_orders():
    from itertools import permutations

    worth = np.random.default_rng(0).random((8, 3))
    worth[0] = 0
    index = {tuple(row): i for i, row in enumerate(list_coalitions(3).tolist())}
    expected = np.zeros((3, 3))
    for order in permutations(range(3)):
        members = [False] * 3
        for player in order:
            before = worth[index[tuple(members)]]
            members[player] = True
            expected[player] += (worth[index[tuple(members)]] - before) / 6
    assert compute_shapley(worth) == pytest.approx(expected)


def test_leaving_out_idle_mechanisms_changes_no_share():
    rng = np.random.default_rng(1)
    parameters = np.exp(rng.normal(0, 1.5, (60, 4))) * [0.4, 2.0, 0.05, 1.0]
    parameters = parameters[assess(parameters) == 1]
    experiment = Experiment(NAMES, FREE, TOY, assess)
    found = compare_switches(experiment, parameters, assess(parameters), (0.5,))
    whole = experiment.compute_worth(parameters, assess(parameters), list_coalitions(3), 0.5)
    resolved = found.together >= 0.5
    assert found.shapley[:, resolved] == pytest.approx(compute_shapley(whole)[:, resolved])


def test_probabilities_and_the_unexplained_rest_sum_to_one():
    parameters = np.exp(np.random.default_rng(0).normal(0, 1.5, (300, 4))) * [0.4, 2.0, 0.05, 1.0]
    result = attribute(parameters[assess(parameters) == 1])
    assert sum(s.probability for s in result.shares) + result.unexplained == pytest.approx(1.0)
    for share in result.shares:
        assert 0 <= share.lower <= share.probability <= share.upper <= 1


def test_draws_that_cannot_be_run_again_are_left_out():
    def sometimes(parameters):
        return np.where(parameters[:, 1] > 19, np.nan, assess(parameters))

    parameters = np.vstack([draws(kill=0.05, count=10), draws(loss=20.0, count=5)])
    result = attribute_failure(parameters, NAMES, FREE, TOY, sometimes, origin=np.arange(15))
    assert result.draws == 10
    assert result.shares[0].name == "potency"


def test_no_usable_draw_gives_no_answer_and_no_exception():
    result = attribute_failure(draws(), NAMES, FREE, TOY, lambda p: np.full(len(p), np.nan), origin=np.arange(40))
    assert result.shares == ()
    assert choose_answer(result, TOY, []).answered is None


def test_switching_off_never_makes_a_value_worse():
    parameters = draws(kill=50.0, loss=0.01, escape=0.0)
    for candidate in TOY:
        assert np.array_equal(switch_off(parameters, NAMES, candidate, FREE, 0.75), parameters)


def test_switching_off_changes_the_mechanism_alone():
    changed = switch_off(draws(kill=0.1), NAMES, TOY[0], FREE, 0.75)
    assert changed[0, 0] == pytest.approx(np.exp(0.6745), rel=1e-3)
    assert np.array_equal(changed[:, 1:], draws(kill=0.1)[:, 1:])


def test_what_follows_a_mechanism_changes_by_the_same_factor():
    burden = Candidate(Mechanism.TUMOUR_BURDEN, "high burden", (("loss", "lower"),), follow=("marker",))
    changed = switch_off(draws(loss=8.0), NAMES, burden, FREE, 0.5)
    assert changed[0].tolist() == pytest.approx([1.0, 1.0, 0.01, 5.0 / 8.0])


def test_parameters_that_act_together_move_together_and_only_where_the_reference_achieves_more():
    parts = (("kill", "higher"), ("loss", "lower"))
    toy = Candidate(Mechanism.EXPANSION, "", parts, merit=lambda read: read("kill") / read("loss"))
    own = np.array([[0.5, 0.8, 0.01, 5.0], [2.0, 1.5, 0.01, 5.0], [0.1, 1.0, 0.01, 5.0]])
    changed = switch_off(own, NAMES, toy, FREE, 0.5)
    assert changed[:, :2] == pytest.approx(np.array([[1.0, 1.0], [2.0, 1.5], [1.0, 1.0]]))
    assert (changed[:, 2:] == own[:, 2:]).all()


def test_the_reference_lies_on_the_favourable_side():
    for scale, typical in (("lognormal", 2.0), ("normal", 2.0), ("logitnormal", 0.4)):
        free = Free("x", 0, scale, typical, 0.5)
        assert compute_reference(free, "lower", 0.75) < typical < compute_reference(free, "higher", 0.75)
        assert compute_reference(free, "absent", 0.75) == 0.0


def test_a_mechanism_without_free_parameters_is_not_examined():
    assert [c.mechanism for c in select_candidates(TOY, FREE[:1])] == [Mechanism.POTENCY]


def test_a_draw_that_nothing_averts_has_no_winner():
    assert compute_winners(np.zeros((2, 1)), tie=0.02).sum() == 0


def test_steroids_are_examined_only_where_they_were_given():
    assert not any(c.mechanism == Mechanism.STEROIDS for c in select_candidates(CATALOGUE, FREE))
    assert any(c.mechanism == Mechanism.STEROIDS for c in select_candidates(CATALOGUE, FREE, ["corticosteroid"]))


def test_a_reason_seen_in_every_draw_is_not_certain():
    share = attribute(draws(kill=0.05)).shares[0]
    assert 0.95 < share.probability < 1.0
    assert share.lower < share.probability < share.upper


def test_the_interval_narrows_with_the_effective_number_of_draws():
    few, many = compute_interval(0.7, 10), compute_interval(0.7, 1000)
    assert few[0] < many[0] < 0.7 < many[1] < few[1]


def make_attribution(*pairs):
    """Return what a hundred draws say in which each mechanism is the reason as often as given, and else none is."""
    template = attribute(draws(kill=0.05)).shares[0]
    shares, reasons, first = [], np.zeros((len(pairs) + 1, 100)), 0
    for place, (name, group, probability) in enumerate(pairs):
        shares.append(replace(template, name=name, group=group, probability=probability, named=probability))
        reasons[place, first : first + round(100 * probability)] = 1.0
        first += round(100 * probability)
    reasons[-1] = 1 - reasons.sum(axis=0)
    names = tuple(share.name for share in shares)
    return Attribution(
        tuple(shares), reasons[-1].mean(), 1.0, 100, reasons=reasons, names=names, kept=np.arange(100), effective=100.0
    )


def test_a_clear_mechanism_is_named():
    answer = choose_answer(make_attribution(("persistence", "quantity", 0.8)), CATALOGUE, [])
    assert (answer.answered, answer.level) == ("persistence", "mechanism")


def test_a_target_is_called_low_only_by_those_who_looked():
    attribution = make_attribution(("antigen_low", "antigen", 0.8))
    without = choose_answer(attribution, CATALOGUE, ["m_protein"])
    having = choose_answer(attribution, CATALOGUE, ["antigen_positive_fraction"])
    assert (without.answered, without.level) == ("antigen", "group")
    assert (having.answered, having.level) == ("antigen_low", "mechanism")


def test_a_group_of_one_is_no_way_around_what_its_mechanism_needs():
    attribution = make_attribution(("suppression", "environment", 0.8))
    without = choose_answer(attribution, CATALOGUE, ["m_protein"])
    having = choose_answer(attribution, CATALOGUE, ["tgf_beta"])
    assert (without.answered, without.level) == (None, "none")
    assert "myeloid-derived suppressor cells or TGF-beta" in without.reason
    assert (having.answered, having.level) == ("suppression", "mechanism")


def test_what_cannot_be_told_does_not_silence_what_can():
    attribution = make_attribution(("suppression", "environment", 0.5), ("persistence", "quantity", 0.5))
    tied = replace(attribution, shares=tuple(replace(share, named=0.95) for share in attribution.shares))
    reasons = np.zeros((3, 100))
    reasons[:2, :95] = 0.5
    reasons[2, 95:] = 1.0
    answer = choose_answer(replace(tied, reasons=reasons), CATALOGUE, ["m_protein"])
    assert (answer.answered, answer.level) == ("persistence", "mechanism")


def test_every_parameter_of_the_catalogue_is_one_of_the_model():
    known = {*UNIFIED.parameter_names, AFTER_PEAK}
    named = {name for candidate in CATALOGUE for name, _ in candidate.parameters}
    assert named | {name for candidate in CATALOGUE for name in candidate.follow} <= known


def test_two_of_a_group_that_explain_it_alike_are_answered_as_the_group():
    attribution = make_attribution(("persistence", "quantity", 0.5), ("expansion", "quantity", 0.5))
    alike = replace(attribution, shares=tuple(replace(share, named=0.98) for share in attribution.shares))
    answer = choose_answer(alike, CATALOGUE, [])
    assert (answer.answered, answer.level) == ("quantity", "group")
    assert "lost persistence and too little expansion explain it alike" in answer.reason
    assert answer.alike == ("persistence", "expansion")


def test_a_mechanism_that_needs_a_phenotype_is_named_only_with_it():
    attribution = make_attribution(("exhaustion", "quality", 0.8), ("potency", "quality", 0.1))
    without = choose_answer(attribution, CATALOGUE, ["m_protein"])
    having = choose_answer(attribution, CATALOGUE, ["m_protein", "pd1_tim3_fraction"])
    assert (without.answered, without.level) == ("quality", "group")
    assert "PD-1 and TIM-3 on CAR T cells" in without.reason
    assert (having.answered, having.level) == ("exhaustion", "mechanism")


def test_neighbours_that_share_a_group_are_answered_as_the_group():
    attribution = make_attribution(("antigen_low", "antigen", 0.45), ("antigen_negative", "antigen", 0.4))
    assert choose_answer(attribution, CATALOGUE, []).answered == "antigen"


def test_mechanisms_that_always_tie_are_each_right_to_name():
    result = attribute(draws(kill=0.6, loss=1.8))
    assert [share.named for share in result.shares[:2]] == pytest.approx([1.0, 1.0], abs=0.03)
    assert result.compute_named(lambda name: "either" if name in {"potency", "persistence"} else "other")[
        "either"
    ] == pytest.approx(1.0, abs=0.03)


def test_draws_of_one_origin_count_as_few():
    parameters = np.vstack([draws(kill=0.05, count=20), draws(loss=20.0, count=20)])
    alike = attribute_failure(parameters, NAMES, FREE, TOY, assess, origin=np.repeat([0, 1], 20))
    apart = attribute_failure(parameters, NAMES, FREE, TOY, assess, origin=np.arange(40))
    assert alike.effective == 1.0
    assert apart.effective == pytest.approx(20, rel=0.1)
    assert alike.shares[0].upper - alike.shares[0].lower > apart.shares[0].upper - apart.shares[0].lower


def test_where_all_draws_have_one_reason_the_parameters_tell_how_many_they_are():
    parameters, origin = draws(kill=0.05, count=40), np.repeat([0, 1, 2, 3], 10)
    few, more, most = (
        attribute_failure(parameters, NAMES, FREE, TOY, assess, origin=origin, effective=effective)
        for effective in (1.0, 25.0, 900.0)
    )
    assert (few.effective, more.effective, most.effective) == (4.0, 25.0, 40.0)
    assert few.shares[0].named < more.shares[0].named < most.shares[0].named < 1


def test_nothing_is_answered_when_the_posterior_is_split():
    attribution = make_attribution(("antigen_low", "antigen", 0.4), ("tumour_growth", "tumour", 0.4))
    answer = choose_answer(attribution, CATALOGUE, [])
    assert answer.answered is None
    assert "60 %" in answer.reason
