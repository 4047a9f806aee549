r"""What a hospital measures of the states.

.. math::
    \text{transgene} = \frac{VCN \cdot c\, C}{C + W}, \qquad c: \text{copies per ug when every cell carries one}

bounded by :math:`VCN \cdot c`, and for few CAR T cells proportional to them; :math:`W` is the
effective number of other nucleated cells in the assay.
M-protein stays below what serum sustains, :math:`M / \sqrt[4]{1 + (M / M_{max})^4}`.
Free light chains are the tumour's plus the normal plasma cells'. Lesions are spheres of equal size.
"""

from collections.abc import Mapping, Sequence
from math import pi
from typing import Any

from livingdrug.core.arithmetic import exp, power, sqrt
from livingdrug.core.model import Quantity
from livingdrug.models.unified import cart, extinction

OUTPUTS = (
    Quantity("car_t_cells", "cells/uL", "CAR T cells in blood"),
    Quantity("car_transgene", "copies/ug", "CAR transgene by qPCR"),
    Quantity("pd1_tim3_fraction", "1", "fraction of CAR T cells that carry PD-1 and TIM-3"),
    Quantity("b_cells", "cells/uL", "B cells in blood"),
    Quantity("tumour_cells", "cells", "tumour cells, given that each clone shown survives"),
    Quantity("tumour_volume", "mL", "tumour volume"),
    Quantity("tumour_spd", "mm2", "sum of products of diameters"),
    Quantity("m_protein", "g/dL", "serum M-protein"),
    Quantity("flc_involved", "mg/L", "involved free light chain"),
    Quantity("flc_uninvolved", "mg/L", "uninvolved free light chain"),
    Quantity("sbcma", "ng/mL", "soluble BCMA"),
    Quantity("marrow_plasma_cells", "%", "tumour cells in marrow"),
    Quantity("antigen_positive_fraction", "1", "fraction of tumour cells above the assay's density"),
    Quantity("antigen_density", "molecules/cell", "mean antigen density of tumour cells"),
    Quantity("survival_high", "1", "probability that the high clone is alive"),
    Quantity("survival_low", "1", "probability that the low clone is alive"),
    Quantity("survival_negative", "1", "probability that the negative clone is alive"),
    Quantity("cure_probability", "1", "probability that no tumour cell is left that can regrow"),
)

PARAMETERS = (
    Quantity("copies_per_ug", "copies/ug", "copies per ug of DNA when every cell carries one (c)"),
    Quantity("percent", "%", "a whole"),
    Quantity("mm2_per_cm2", "mm2/cm2", "square millimetres in a square centimetre"),
    Quantity("vcn", "1", "vector copies per CAR T cell"),
    Quantity("wbc_other", "cells/uL", "effective nucleated cells without CAR in the qPCR sample (W)"),
    Quantity("b_cells_0", "cells/uL", "B cells when recovered"),
    Quantity("lesions", "1", "measured lesions"),
    Quantity("m_protein_0", "g/dL", "M-protein at infusion"),
    Quantity("m_protein_max", "g/dL", "highest M-protein that serum sustains"),
    Quantity("flc_involved_0", "mg/L", "tumour's free light chain at infusion"),
    Quantity("flc_normal", "mg/L", "either free light chain of a person with normal plasma cells"),
    Quantity("sbcma_0", "ng/mL", "tumour's soluble BCMA at infusion"),
    Quantity("sbcma_normal", "ng/mL", "soluble BCMA of a person with normal plasma cells"),
    Quantity("marrow_other", "1e9 cells", "nucleated marrow cells that are not tumour"),
    Quantity("positive_density", "molecules/cell", "density above which half of the cells count as antigen-positive"),
)


def _share_positive(density: Any, p: Any) -> Any:
    relative = (density / p.positive_density) ** 2
    return relative / (1 + relative)


def observe_tumour(y: Any, p: Any, clones: Sequence[str] = extinction.CLONES) -> Mapping[str, Any]:
    """Return burden, size, antigen and survival of the tumour; clones after the second lack the antigen."""
    families = extinction.compute_families(y, p, clones)
    alive = extinction.compute_alive(families, p, clones)
    shown = extinction.compute_shown(y, p, families, alive, clones)
    burden = shown[0]
    for clone in shown[1:]:
        burden = burden + clone
    high, low = shown[:2]
    dense, sparse = p.antigen_density_high, p.antigen_density_high * p.density_low_ratio
    counted = burden + 1 / p.cell_unit  # one cell keeps 0/0 away
    # the absolute value: a probability even where the solver leaves -1e-20 of a dead clone
    counts = [sqrt(f * f) for f in families]
    survivors = -counts[0]
    for count in counts[1:]:
        survivors = survivors - count
    return {
        "tumour_cells": burden * p.cell_unit,
        "tumour_volume": burden,
        "tumour_spd": p.lesions * p.mm2_per_cm2 * power(2 * 3 * counted / (pi * p.lesions), 2 / 3),
        "marrow_plasma_cells": p.percent * burden / (burden + p.marrow_other),
        "antigen_positive_fraction": (high * _share_positive(dense, p) + low * _share_positive(sparse, p)) / counted,
        "antigen_density": (high * dense + low * sparse) / counted,
        **{f"survival_{clone}": 1 - exp(-count) for clone, count in zip(clones, counts, strict=True)},
        "cure_probability": exp(survivors),
    }


def observe_blood(y: Any, p: Any) -> Mapping[str, Any]:
    """Return CAR T cells and markers in blood."""
    count = cart.compute_total(y)
    normal = p.flc_normal * y.healthy_antigen
    made = p.m_protein_0 * y.m_protein_ratio
    return {
        "car_t_cells": count,
        "car_transgene": p.vcn * p.copies_per_ug * count / (count + p.wbc_other),
        "pd1_tim3_fraction": y.cart_exhausted / (count + 1 / p.blood_scale),  # one cell keeps 0/0 away
        "b_cells": p.b_cells_0 * y.healthy_antigen,
        "m_protein": made / sqrt(sqrt(1 + (made / p.m_protein_max) ** 4)),
        "flc_involved": p.flc_involved_0 * y.flc_ratio + normal,
        "flc_uninvolved": normal,
        "sbcma": p.sbcma_0 * y.sbcma_ratio + p.sbcma_normal * y.healthy_antigen,
    }


def observe(day: Any, y: Any, p: Any) -> Mapping[str, Any]:  # noqa: ARG001
    """Return every output."""
    return {**observe_tumour(y, p), **observe_blood(y, p)}
