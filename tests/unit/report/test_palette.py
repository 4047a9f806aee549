from itertools import combinations

import pytest

from livingdrug.report import palette

# Linear-light matrices of Machado, Oliveira and Fernandes (2009), severity 1.
DEFICIENCIES = {
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritan": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
    "normal": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
}


def to_linear(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]


def to_lab(linear):
    r, g, b = (min(1.0, max(0.0, c)) for c in linear)
    x = (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505
    y = 0.2126 * r + 0.7152 * g + 0.0722 * b
    z = (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089
    f = [c ** (1 / 3) if c > 0.008856 else 7.787 * c + 16 / 116 for c in (x, y, z)]
    return 116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])


def see(colour, matrix):
    linear = to_linear(colour)
    return to_lab([sum(m * c for m, c in zip(row, linear, strict=True)) for row in matrix])


@pytest.mark.parametrize("colour", palette.CATEGORIES)
def test_every_colour_can_be_told_from_white_paper(colour):
    assert palette.compute_contrast(colour) >= 3


@pytest.mark.parametrize("colour", [palette.INK, palette.MUTED, palette.BROWN])
def test_every_colour_of_text_can_be_read_on_white_paper(colour):
    assert palette.compute_contrast(colour) >= 4.5


@pytest.mark.parametrize("vision", DEFICIENCIES)
def test_any_two_colours_stay_apart_for_every_kind_of_colour_vision(vision):
    seen = [see(colour, DEFICIENCIES[vision]) for colour in palette.CATEGORIES]
    distances = [sum((a - b) ** 2 for a, b in zip(one, two, strict=True)) ** 0.5 for one, two in combinations(seen, 2)]
    assert min(distances) > 20


def test_every_group_of_mechanisms_has_a_colour_of_its_own():
    assert len(set(palette.GROUP_COLOURS.values())) == len(palette.GROUP_COLOURS)
    assert set(palette.GROUP_COLOURS.values()) <= set(palette.CATEGORIES)
