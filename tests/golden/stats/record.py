#!/usr/bin/env python3
"""Records what scipy and rliable say of random samples: tests/stats_parity.rs compares `heirloom::stats` with it.

    python tests/golden/stats/record.py        with numpy==2.4.6, scipy==1.17.1, rliable==1.2.0, statsmodels==0.15.0
"""
import json, os, sys
import numpy as np, scipy, scipy.stats as st
from rliable import metrics, library
from statsmodels.stats.multitest import multipletests

rng = np.random.default_rng(7)
laws = [
    lambda n: rng.normal(1.0, 0.5, n),
    lambda n: np.where(rng.random(n) < 0.2, rng.normal(0.0, 0.1, n), rng.normal(1.0, 0.1, n)),
    lambda n: rng.exponential(100.0, n) - 300.0,
    lambda n: np.round(rng.normal(400.0, 80.0, n)).clip(0, 500),
]


cases = []
for _ in range(200):
    law = laws[rng.integers(len(laws))]
    a, b = law(rng.integers(2, 25)), law(rng.integers(2, 25)) + rng.normal(0, 0.3)
    welch = st.ttest_ind(a, b, equal_var=False)
    low, high = welch.confidence_interval(0.95)
    wide = welch.confidence_interval(0.99)
    t = st.t.interval(0.95, len(a) - 1, loc=a.mean(), scale=st.sem(a)) if np.std(a) > 0 else (a.mean(), a.mean())
    cases.append({
        "a": a.tolist(), "b": b.tolist(), "t": list(map(float, t)),
        "welch": {"df": float(welch.df), "p": float(welch.pvalue), "interval": [float(low), float(high)], "wide": [float(wide.low), float(wide.high)]},
        "iqm": float(metrics.aggregate_iqm(a[:, None])),
        "improvement": float(metrics.probability_of_improvement(a[:, None], b[:, None])),
        "percentiles": [float(np.percentile(a, q)) for q in (2.5, 50, 97.5)],
    })
families = [rng.random(rng.integers(1, 12)) ** 3 for _ in range(50)]
# A bootstrap is random: its percentiles over many repetitions, from rliable's own stratified resampling.
scores = {"arm": laws[1](20)[:, None]}
_, intervals = library.get_interval_estimates(scores, lambda x: np.array([metrics.aggregate_iqm(x)]), reps=50_000, random_state=np.random.RandomState(3))
document = {
    "versions": {"numpy": np.__version__, "scipy": scipy.__version__, "rliable": "1.2.0"},
    "cases": cases,
    "holm": [{"p": p.tolist(), "adjusted": multipletests(p, method="holm")[1].tolist()} for p in families],
    "bootstrap_iqm": {"values": scores["arm"][:, 0].tolist(), "interval": intervals["arm"][:, 0].tolist()},
}
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "reference.json")
json.dump(document, open(path, "w"))
print(path, document["versions"], document["bootstrap_iqm"]["interval"], file=sys.stderr)
