"""Colours, dashes and shapes that stay apart for every reader.

Each colour has a contrast of at least 3:1 on white, and any two stay distinguishable with normal and
with colour-deficient vision. Meaning never rests on colour alone: a shape, a dash or a label repeats it.

Examples
--------
>>> round(compute_contrast("#000000", "#ffffff"), 1)
21.0
"""

INK = "#180000"
BLUE = "#0072B2"
ORANGE = "#D55E00"
OLIVE = "#909078"
VIOLET = "#9000F0"
BROWN = "#783018"
NAVY = "#001878"
PAPER = "#FFFFFF"
MUTED = "#5A5A50"
"""Secondary text: dark enough to read (at least 4.5:1)."""

CATEGORIES = (BLUE, ORANGE, OLIVE, VIOLET, BROWN, NAVY, INK)
"""Colours of unordered groups, most different first."""

GROUP_COLOURS = {
    "quantity": BLUE,
    "quality": VIOLET,
    "antigen": ORANGE,
    "environment": OLIVE,
    "tumour": BROWN,
    "treatment": NAVY,
}
"""One colour for each group of mechanisms, the same in every figure."""

DASH_LIMIT = (2, 3)
DASH_THRESHOLD = (7, 4)
SHAPE_MEASURED = "circle"
SHAPE_BELOW_LIMIT = "triangle-down"


def _compute_luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def compute_contrast(colour: str, background: str = PAPER) -> float:
    """Return the WCAG contrast ratio of two colours written ``#rrggbb``, from 1 to 21."""
    light, dark = sorted((_compute_luminance(colour), _compute_luminance(background)), reverse=True)
    return (light + 0.05) / (dark + 0.05)
