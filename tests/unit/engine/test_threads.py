import os
import subprocess
import sys

import numpy as np
import pytest
from tests.unit.engine.test_cache import DECAY

from livingdrug.core.errors import InputError
from livingdrug.engine.compile import compile_model
from livingdrug.engine.solve import solve

RATES = np.linspace(0.1, 2.0, 900)[:, None]

FORKED = """
import os, signal
import numpy as np
from livingdrug.engine.compile import compile_model
from livingdrug.engine.solve import solve
from livingdrug.knowledge.parameters import load_parameters
from livingdrug.core.parameters import bind
from livingdrug.models.unified.model import UNIFIED

kernel = compile_model(UNIFIED)
people = np.tile(bind(UNIFIED, load_parameters("unified_lbcl_axi_cel")), (600, 1))
before = solve(kernel, people, [0.0, 28.0], threads=2).values
child = os.fork()
if child == 0:
    signal.alarm(60)
    after = solve(kernel, people, [0.0, 28.0], threads=2).values
    os._exit(0 if np.array_equal(before, after) else 3)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_threads_that_wait_for_work_give_the_same_bits_again_and_again():
    kernel = compile_model(DECAY)
    alone = solve(kernel, RATES, [0.0, 3.0], threads=1).values
    for threads in (2, 3, 2):
        assert np.array_equal(solve(kernel, RATES, [0.0, 3.0], threads=threads).values, alone)


def test_a_refused_call_leaves_the_threads_usable():
    kernel = compile_model(DECAY)
    with pytest.raises(InputError):
        solve(kernel, RATES, [3.0, 0.0], threads=2)
    assert np.isfinite(solve(kernel, RATES, [0.0, 3.0], threads=2).values).all()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_process_starts_threads_of_its_own():
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKED], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stdout.strip() == "0", done.stderr
