#!/usr/bin/env python3
"""Makes golden.json beside it, which the tests of src/stats read: values of SciPy and scikit-learn.

Needs scipy and scikit-learn; the versions used are written into the file. Run it again with the same versions and
nothing changes: the inputs come from a fixed generator.
"""
import json
import math
import pathlib
import random
import warnings

import numpy
import scipy
import sklearn
from scipy import stats
from sklearn import metrics

warnings.filterwarnings("ignore")  # of constant input and of labels that do not appear


def number(value):
    """A number, or null where it is undefined."""
    return None if value is None or math.isnan(value) else float(value)


def partial(x, y, z):
    """Pearson's of the residuals of two linear regressions on z."""
    if len(x) < 3 or any(len(set(values)) < 2 for values in (x, y, z)):
        return None
    left = [numpy.array(values) - stats.linregress(z, values).slope * numpy.array(z) for values in (x, y)]
    return number(stats.pearsonr(*left)[0])


def correlation(name, x, y, z):
    short = len(x) < 2
    return {
        "name": name, "x": x, "y": y, "z": z,
        "pearson": None if short else number(stats.pearsonr(x, y)[0]),
        "spearman": None if short else number(stats.spearmanr(x, y)[0]),
        "kendall": None if short else number(stats.kendalltau(x, y, variant="b")[0]),
        "partial": partial(x, y, z),
        "ranks": [float(rank) for rank in stats.rankdata(x)],
    }


def correlations():
    draw = random.Random(1)
    normal = [[round(draw.gauss(0, 1), 6) for _ in range(40)] for _ in range(3)]
    scores = [[draw.randint(1, 5) for _ in range(60)] for _ in range(2)]
    judge = [min(5, max(1, score + draw.choice([-1, 0, 0, 0, 1, 2]))) for score in scores[0]]
    lengths = [round(draw.lognormvariate(5, 1), 3) for _ in range(60)]
    large = [[draw.randint(0, 50) for _ in range(500)] for _ in range(3)]
    return [
        correlation("normal", normal[0], [a + 0.5 * b for a, b in zip(normal[0], normal[1])], normal[2]),
        correlation("scores with ties", scores[0], judge, lengths),
        correlation("unrelated scores", scores[0], scores[1], lengths),
        correlation("many ties", large[0], large[1], large[2]),
        correlation("reversed", [1, 2, 3, 4, 5], [5, 4, 3, 2, 1], [2, 1, 4, 3, 5]),
        correlation("one outlier", [0, 0, 0, 0, 1], [0, 0, 0, 1e6, 0], [1, 2, 3, 4, 5]),
        correlation("three items", [1, 2, 4], [3, 1, 5], [1, 5, 2]),
        correlation("two items", [1, 2], [7, 3], [1, 5]),
        correlation("one item", [1], [2], [3]),
        correlation("constant", [2, 2, 2, 2], [1, 2, 3, 4], [4, 1, 3, 2]),
        correlation("large and close", [1e9 + 1, 1e9 + 2, 1e9 + 4, 1e9 + 3], [2, 1, 4, 5], [1, 2, 2, 1]),
        correlation("small", [1e-9, 3e-9, 2e-9, 5e-9], [1e-9, 2e-9, 4e-9, 6e-9], [1, 2, 2, 1]),
        correlation("two values", [0, 1, 0, 1, 1, 0, 1], [1, 1, 0, 1, 0, 0, 1], [3, 1, 4, 1, 5, 9, 2]),
    ]


def defined(counted, value):
    """Undefined where there is nothing to count."""
    return number(value) if counted else None


def classification(name, labels, truth, predicted):
    present = sorted(set(truth))
    per_label = [
        {
            "precision": defined(label in predicted, metrics.precision_score(truth, predicted, labels=[label], average="macro")),
            "recall": defined(label in truth, metrics.recall_score(truth, predicted, labels=[label], average="macro")),
            "f1": defined(label in truth or label in predicted,
                          metrics.f1_score(truth, predicted, labels=[label], average="macro")),
        }
        for label in range(labels)
    ]
    spread = len(set(truth)) > 1 and len(set(predicted)) > 1
    return {
        "name": name, "labels": labels, "truth": truth, "predicted": predicted, "per_label": per_label,
        "accuracy": number(metrics.accuracy_score(truth, predicted)),
        "balanced_accuracy": number(metrics.balanced_accuracy_score(truth, predicted)),
        "macro_f1": number(metrics.f1_score(truth, predicted, labels=present, average="macro")),
        "matthews": defined(spread, metrics.matthews_corrcoef(truth, predicted)),
        "kappa": number(metrics.cohen_kappa_score(truth, predicted)),
    }


def classifications():
    draw = random.Random(2)
    binary = [draw.randint(0, 1) for _ in range(50)]
    rare = [1 if draw.random() < 0.1 else 0 for _ in range(80)]
    five = [draw.randint(0, 4) for _ in range(120)]

    def noisy(values, labels, noise):
        return [draw.randrange(labels) if draw.random() < noise else value for value in values]

    return [
        classification("binary", 2, binary, noisy(binary, 2, 0.4)),
        classification("rare positive", 2, rare, noisy(rare, 2, 0.3)),
        classification("five labels", 5, five, noisy(five, 5, 0.5)),
        classification("an unreadable label", 3, binary, noisy(binary, 3, 0.5)),
        classification("a label nobody gave", 4, [0, 1, 2, 3, 3, 2], [0, 1, 1, 0, 1, 0]),
        classification("all right", 3, [0, 1, 2, 1], [0, 1, 2, 1]),
        classification("all wrong", 2, [0, 1, 0, 1, 1], [1, 0, 1, 0, 0]),
        classification("a single class", 2, [1, 1, 1, 1], [1, 0, 1, 1]),
        classification("a constant answer", 2, [1, 0, 1, 0, 0], [1, 1, 1, 1, 1]),
        classification("one class on both sides", 2, [1, 1, 1], [1, 1, 1]),
        classification("one item", 2, [0], [1]),
    ]


def area(name, scores, positive):
    both = len(set(positive)) == 2
    return {"name": name, "scores": scores, "positive": positive,
            "auc": number(metrics.roc_auc_score(positive, scores)) if both else None}


def areas():
    draw = random.Random(3)
    positive = [draw.randint(0, 1) for _ in range(100)]
    return [
        area("continuous", [round(draw.gauss(label, 1), 6) for label in positive], positive),
        area("ties", [min(5, max(1, 2 + label + draw.randint(-1, 2))) for label in positive], positive),
        area("all tied", [1] * 6, [0, 1, 0, 1, 1, 1]),
        area("perfect", [1, 2, 3, 4], [0, 0, 1, 1]),
        area("reversed", [4, 3, 2, 1], [0, 0, 1, 1]),
        area("two items", [0.2, 0.7], [1, 0]),
        area("one class", [0.1, 0.2, 0.3], [1, 1, 1]),
    ]


def calibration_error(confidences, right, bins):
    """As the paper of Guo et al. has it, with SciPy's binning, whose bins are closed on the left: hence the sign."""
    values = -numpy.array(confidences)
    sums = stats.binned_statistic(values, numpy.array(right) + values, "sum", bins=bins, range=(-1, 0))[0]
    return float(abs(sums).sum() / len(right))


def calibrations():
    draw = random.Random(4)
    confidences = [round(draw.betavariate(4, 1), 6) for _ in range(200)]
    right = [int(draw.random() < 0.8 * confidence) for confidence in confidences]
    cases = [("overconfident", confidences, right), ("extremes", [0, 1, 0, 1, 0.5], [0, 1, 1, 0, 1]),
             ("one item", [0.7], [1]), ("edges of bins", [0.25, 0.5, 0.75, 1.0, 0.25, 0.0], [1, 0, 1, 0, 1, 0])]
    return [
        {"name": name, "probabilities": p, "positive": y,
         "brier": number(metrics.brier_score_loss(y, p, labels=[0, 1])),
         "error": {str(bins): calibration_error(p, y, bins) for bins in ((4, 8) if name == "edges of bins" else (5, 10, 15))}}
        for name, p, y in cases
    ]


def briers():
    draw = random.Random(5)
    rows, truth = [], []
    for _ in range(30):
        weights = [draw.random() for _ in range(4)]
        rows.append([weight / sum(weights) for weight in weights])
        truth.append(draw.randrange(4))
    sure = [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    return [
        {"name": name, "labels": len(p[0]), "probabilities": sum(p, []), "truth": y,
         "brier": number(metrics.brier_score_loss(y, p, labels=list(range(len(p[0]))), scale_by_half=False))}
        for name, p, y in [("four labels", rows, truth), ("sure and half right", sure, [0, 1])]
    ]


def distributions():
    points = [-30, -8, -3, -1.96, -1, -0.1, 0, 0.5, 2, 6]
    return {
        "normal_cdf": [[z, float(stats.norm.cdf(z))] for z in points],
        "normal_quantile": [[p, float(stats.norm.ppf(p))] for p in (1e-300, 1e-10, 0.025, 0.3, 0.5, 0.9, 0.975, 0.99999)],
        "student_cdf": [[t, df, float(stats.t.cdf(t, df))] for t in points for df in (1, 2, 5, 29, 100, 2999, 1e6)],
        "student_quantile": [[p, df, float(stats.t.ppf(p, df))] for p in (0.001, 0.025, 0.4, 0.5, 0.975)
                             for df in (1, 2, 5, 29, 100, 2999, 1e6)],
    }


# 15 law schools: B. Efron and R. J. Tibshirani, "An Introduction to the Bootstrap" (1993), table 3.1.
LSAT = [576, 635, 558, 578, 666, 580, 555, 661, 651, 605, 653, 575, 545, 572, 594]
GPA = [3.39, 3.30, 2.81, 3.03, 3.44, 3.07, 3.00, 3.43, 3.36, 3.13, 3.12, 2.74, 2.76, 2.88, 2.96]


def intervals(data, statistic):
    """Ours are SciPy's at the level to which Student's t and n / (n - 1) widen 95%."""
    n = len(data[0])
    level = 2 * stats.norm.cdf(math.sqrt(n / (n - 1)) * stats.t.ppf(0.975, n - 1)) - 1
    result = {}
    for name, method in [("percentile", "percentile"), ("bca", "BCa")]:
        interval = stats.bootstrap(data, statistic, paired=True, vectorized=True, n_resamples=400_000, batch=10_000,
                                   confidence_level=level, method=method,
                                   rng=numpy.random.default_rng(6)).confidence_interval
        result[name] = [float(interval.low), float(interval.high)]
    return result


def pearson(x, y, axis=-1):
    return stats.pearsonr(x, y, axis=axis).statistic


def ratio(numerator, denominator, axis=-1):
    return numerator.sum(axis) / denominator.sum(axis)


def bootstraps():
    draw = random.Random(7)
    sizes = [draw.randint(1, 12) for _ in range(20)]
    hits = [sum(draw.random() < accuracy for _ in range(size))
            for size, accuracy in zip(sizes, [draw.betavariate(4, 1) for _ in sizes])]
    return {"law_schools": {"x": LSAT, "y": GPA, **intervals((LSAT, GPA), pearson)},
            "clusters": {"hits": hits, "sizes": sizes, **intervals((hits, sizes), ratio)}}


golden = {
    "made_with": {"scipy": scipy.__version__, "sklearn": sklearn.__version__, "numpy": numpy.__version__},
    "correlations": correlations(),
    "classifications": classifications(),
    "areas": areas(),
    "calibrations": calibrations(),
    "briers": briers(),
    "distributions": distributions(),
    "bootstraps": bootstraps(),
}
lines = []
for key, value in golden.items():
    if isinstance(value, list):
        rows = ",\n".join("  " + json.dumps(row) for row in value)
        lines.append(f'"{key}": [\n{rows}\n]')
    else:
        lines.append(f'"{key}": {json.dumps(value)}')
pathlib.Path(__file__).with_name("golden.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
