#!/usr/bin/env python3
"""Makes ratings.json: votes, and what others make of them. Run it in an environment with

  pip install --no-deps fschat==0.2.36; pip install arena-rank==0.1.1 pandas scikit-learn scipy plotly tqdm pytz requests

FastChat's compute_elo and compute_elo_mle_with_tie (without its penalty, with a tight tolerance), arena-rank's
Bradley-Terry, the sandwich formula in NumPy, and Davidson's model by SciPy's general optimiser.
"""
import functools, json, math, os, sys, types

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

for name in ("fastchat.model.model_registry", "fastchat.serve.monitor.basic_stats",
             "fastchat.serve.monitor.clean_battle_data"):  # What the analysis imports, and does not need here.
    module = types.ModuleType(name)
    module.get_model_info = module.get_log_files = module.clean_battle_data = None
    sys.modules[name] = module
from fastchat.serve.monitor import elo_analysis
import sklearn.linear_model

from arena_rank.models.bradley_terry import BradleyTerry
from arena_rank.utils.data_utils import PairDataset

JUDGES, VOTES = 8, 3000
draw = np.random.default_rng(7)
strengths = np.linspace(-1, 1, JUDGES)
names = [f"judge-{i}" for i in range(JUDGES)]
rows = []
for _ in range(VOTES):
    a, b = draw.choice(JUDGES, 2, replace=False, p=(weights := 1 + np.arange(JUDGES)) / weights.sum())
    p = 1 / (1 + math.exp(strengths[b] - strengths[a]))
    u = draw.random()
    winner = "model_a" if u < p * .8 else "model_b" if u < .8 else "tie" if u < .93 else "tie (bothbad)"
    rows.append((names[a], names[b], winner))
battles = pd.DataFrame(rows, columns=["model_a", "model_b", "winner"])

elo = elo_analysis.compute_elo(battles, K=32, INIT_RATING=1200)
sklearn.linear_model.LogisticRegression = functools.partial(LogisticRegression, C=np.inf, tol=1e-12, max_iter=100000,
                                                            solver="newton-cholesky")
fastchat = elo_analysis.compute_elo_mle_with_tie(battles)

dataset = PairDataset.from_pandas(battles.replace({"winner": {"tie (bothbad)": "tie"}}))
peer = BradleyTerry(n_competitors=JUDGES, ftol=1e-15, gtol=1e-12).compute_ratings_and_cis(dataset)
rank = dict(zip(peer["competitors"], np.asarray(peer["ratings"])))
rank_variance = dict(zip(peer["competitors"], np.asarray(peer["variances"])))

# The sandwich, vote by vote, at FastChat's fit.
theta = np.array([fastchat[name] for name in names]) * math.log(10) / 400
theta -= theta.mean()
hessian, middle = np.zeros((JUDGES, JUDGES)), np.zeros((JUDGES, JUDGES))
for a, b, winner in rows:
    x = np.zeros(JUDGES)
    x[names.index(a)], x[names.index(b)] = 1, -1
    p = 1 / (1 + math.exp(-theta @ x))
    y = {"model_a": 1, "model_b": 0}.get(winner, .5)
    hessian += p * (1 - p) * np.outer(x, x)
    middle += (y - p) ** 2 * np.outer(x, x)
inverse = np.linalg.pinv(hessian)
variances = np.diag(inverse @ middle @ inverse) * (400 / math.log(10)) ** 2


def davidson_loss(unknowns):
    s, nu = unknowns[:-1], math.exp(unknowns[-1])
    loss = 0
    for a, b, winner in rows:
        half = (s[names.index(a)] - s[names.index(b)]) / 2
        share = {"model_a": math.exp(half), "model_b": math.exp(-half)}.get(winner, nu)
        loss -= math.log(share / (math.exp(half) + math.exp(-half) + nu))
    return loss / VOTES + np.mean(s) ** 2


davidson = minimize(davidson_loss, np.zeros(JUDGES + 1), method="BFGS", options={"gtol": 1e-9}).x

out = {"names": names,
       "votes": [[names.index(a), names.index(b), {"model_a": "A", "model_b": "B", "tie": "Tie"}.get(w, "BothBad")]
                 for a, b, w in rows],
       "fastchat_elo": [float(elo[name]) for name in names],
       "fastchat_bradley_terry": [float(fastchat[name] - fastchat.mean()) for name in names],
       "arena_rank": [float(rank[name] - np.mean(list(rank.values()))) for name in names],
       "arena_rank_variances": [float(rank_variance[name]) for name in names],
       "sandwich_variances": [float(value) for value in variances],
       "davidson_strengths": [float(value - davidson[:-1].mean()) for value in davidson[:-1]],
       "davidson_nu": math.exp(davidson[-1])}
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "ratings.json"), "w") as file:
    text = json.dumps(out)
    file.write(text.replace('], ["', '],\n["').replace(', "', ',\n"', 0) + "\n")
