"""Golden figures for the room Evaluation: rates, targets, calibration, DeLong, Welch, and lesions found (FROC).

Run from the repository root:  python Scripts/golden/evaluation_statistics.py
Writes statistics.json and lesions.json to Tests/EvaluationTests/Golden. Needs numpy, scipy and scikit-learn; last written
with 2.4.6, 1.17.1 and 1.9.1. scikit-learn and SciPy compute what they have; DeLong's variance and FROC are written here
from their definitions, pair by pair and threshold by threshold.
"""

import json
import math
import warnings

import numpy as np
from scipy import ndimage, stats
from sklearn import metrics
from sklearn.calibration import calibration_curve

from evaluation import OUT, drawn, finite

TARGETS = [0.0, 0.5, 0.8, 0.9, 0.95, 1.0]


def rates(scores, labels, threshold):
    called = (scores >= threshold).astype(int)
    tn, fp, fn, tp = metrics.confusion_matrix(labels, called, labels=[0, 1]).ravel().tolist()
    whole = min(tp + fp, tn + fn, tp + fn, tn + fp) > 0
    return {
        "threshold": threshold, "tp": tp, "fp": fp, "tn": tn, "fn": fn,
        "balancedAccuracy": metrics.balanced_accuracy_score(labels, called),
        "mcc": metrics.matthews_corrcoef(labels, called) if whole else None,
        "npv": metrics.precision_score(labels, called, pos_label=0) if tn + fn > 0 else None,
    }


def targets(scores, labels):
    """Read off scikit-learn's curve, multiplied out to whole cases; of several best points, the best of the other rate."""
    fpr, tpr, thresholds = metrics.roc_curve(labels, scores, drop_intermediate=False)
    positives, negatives = labels.sum(), (1 - labels).sum()
    hits = np.rint(tpr * positives).astype(int)
    rights = negatives - np.rint(fpr * negatives).astype(int)
    result = []
    for target in TARGETS:
        specific = [i for i in range(len(hits)) if rights[i] / negatives >= target]
        sensitive = [i for i in range(len(hits)) if hits[i] / positives >= target]
        a = max(specific, key=lambda i: (hits[i], rights[i]))
        b = max(sensitive, key=lambda i: (rights[i], hits[i]))
        result.append({
            "target": target,
            "sensitivity": tpr[a], "specificityThere": rights[a] / negatives, "thresholdThere": finite(thresholds[a]),
            "specificity": rights[b] / negatives, "sensitivityThere": tpr[b], "thresholdOfSpecificity": finite(thresholds[b]),
        })
    return result


def pairs(scores, labels):
    """Every abnormal case against every normal one: 1 where ordered rightly, 1/2 where tied."""
    abnormal, normal = scores[labels == 1], scores[labels == 0]
    return (abnormal[:, None] > normal[None]) + 0.5 * (abnormal[:, None] == normal[None])


def delong(scores, labels):
    """DeLong et al. 1988, from the matrix of all pairs, with the logit interval."""
    won = pairs(scores, labels)
    area, error = won.mean(), math.sqrt(delong_variance(won))
    result = {"auroc": metrics.roc_auc_score(labels, scores), "variance": error**2, "lower": None, "upper": None}
    if error > 0:
        half = stats.norm.ppf(0.975) * error / (area * (1 - area))
        logit = math.log(area / (1 - area))
        result["lower"], result["upper"] = 1 / (1 + math.exp(half - logit)), 1 / (1 + math.exp(-half - logit))
    return result


def delong_variance(won):
    return won.mean(axis=1).var(ddof=1) / won.shape[0] + won.mean(axis=0).var(ddof=1) / won.shape[1]


def delong_test(first, second, labels):
    a, b = pairs(first, labels), pairs(second, labels)
    covariance = (
        np.cov(a.mean(axis=1), b.mean(axis=1))[0, 1] / a.shape[0] + np.cov(a.mean(axis=0), b.mean(axis=0))[0, 1] / a.shape[1]
    )
    error = math.sqrt(delong_variance(a) + delong_variance(b) - 2 * covariance)
    z = (a.mean() - b.mean()) / error
    return {"difference": a.mean() - b.mean(), "standardError": error, "z": z, "p": 2 * stats.norm.sf(abs(z))}


def calibration(scores, labels, strategy, bins):
    truth, predicted = calibration_curve(labels, scores, n_bins=bins, strategy=strategy)
    # Counts by scikit-learn's own rule, to weigh the bins by.
    edges = np.linspace(0, 1, bins + 1) if strategy == "uniform" else np.percentile(scores, np.linspace(0, 1, bins + 1) * 100)
    counts = np.bincount(np.searchsorted(edges[1:-1], scores), minlength=bins)
    counts = counts[counts > 0]
    return {
        "bins": bins, "strategy": strategy, "share": truth.tolist(), "probability": predicted.tolist(),
        "counts": counts.tolist(), "expectedError": float((counts * abs(truth - predicted)).sum() / counts.sum()),
    }


def statistics_cases():
    cases = []
    for seed, count, prevalence, shift, levels in [
        (21, 40, 0.5, 0.3, 0), (22, 60, 0.4, 0.2, 5), (23, 400, 0.1, 0.4, 50), (24, 25, 0.5, 1.0, 0), (25, 300, 0.6, 0.1, 2),
        (26, 2_000, 0.3, 0.5, 0),
    ]:
        raw, marks = drawn(seed, count, prevalence, shift, levels)
        scores, labels = np.array(raw), np.array(marks)
        other = np.array(drawn(seed + 100, count, 0.5, 0.0, levels)[0]) + 0.5 * scores
        probabilities = scores / 2 if scores.max() <= 2 else scores / scores.max()
        cases.append({
            "drawn": {"seed": seed, "count": count, "prevalence": prevalence, "shift": shift, "levels": levels},
            "other": seed + 100,
            "rates": [rates(scores, labels, t) for t in [-1.0, 0.25, 0.5, 0.75, 1.0, 3.0]],
            "targets": targets(scores, labels), "delong": delong(scores, labels),
            "test": delong_test(scores, other, labels),
            "brier": metrics.brier_score_loss(labels, probabilities),
            "calibration": [
                calibration(probabilities, labels, strategy, bins) for strategy in ("uniform", "quantile") for bins in (1, 5, 10)
            ],
        })
    return cases


def welch_cases():
    lists = [
        ([0.91, 0.92, 0.905], [0.88, 0.90, 0.89]), ([0.9, 0.95], [0.9, 0.95]), ([1.0, 2.0, 3.0, 4.0], [2.0, 2.0, 2.0]),
        ([0.1] * 3, [0.3, 0.31]), ([1.0, 2.0, 3.0, 4.0, 5.0, 9.0], [30.0, 31.0]), ([1e-9, 2e-9], [3e-9, 5e-9, 4e-9]),
        ([0.5 + 0.001 * i for i in range(40)], [0.51 + 0.0013 * (i % 7) for i in range(30)]),
        ([0.0, 1e-3], [100.0, 100.001, 100.002]), ([5.0, 5.1, 4.9], [5.0, 5.2, 4.8]),
    ]
    result = []
    for a, b in lists:
        test = stats.ttest_ind(a, b, equal_var=False)
        result.append({"a": a, "b": b, "t": test.statistic, "df": test.df, "p": test.pvalue})
    wilson = []
    for successes, count, level in [(0, 10, 0.95), (10, 10, 0.95), (7, 9, 0.9), (450, 1000, 0.99), (1, 1, 0.5)]:
        interval = stats.binomtest(successes, count).proportion_ci(confidence_level=level, method="wilson")
        wilson.append({"successes": successes, "count": count, "level": level, "lower": interval.low, "upper": interval.high})
    return result, wilson


def bootstrap_case():
    """SciPy's bias-corrected and accelerated interval of AUROC, few abnormal cases against many normal ones."""
    recipe = {"seed": 27, "count": 90, "prevalence": 0.1, "shift": 0.35, "levels": 0}
    scores, labels = map(np.array, drawn(recipe["seed"], recipe["count"], recipe["prevalence"], recipe["shift"], 0))

    def auroc(abnormal, normal):
        return stats.mannwhitneyu(abnormal, normal).statistic / (len(abnormal) * len(normal))

    interval = stats.bootstrap(
        (scores[labels == 1], scores[labels == 0]), auroc, vectorized=False, n_resamples=10_000, method="BCa",
        rng=np.random.default_rng(1),
    ).confidence_interval
    return {"drawn": recipe, "lower": interval.low, "upper": interval.high}


def candidates(image, separation):
    """Local maxima by definition: per value, each connected set of it whose surroundings are all lower."""
    structure = np.ones((3,) * image.ndim)
    found = []
    for value in np.unique(image):
        labels, count = ndimage.label(image == value, structure)
        for number in range(1, count + 1):
            plateau = labels == number
            around = ndimage.binary_dilation(plateau, structure) & ~plateau
            if not around.any() or (image[around] > value).any():
                continue
            places = np.argwhere(plateau)
            distances = ((len(places) * places - places.sum(axis=0)) ** 2).sum(axis=1)
            place = tuple(places[np.argmin(distances)].tolist())
            found.append((float(value), place))
    # Highest first, then in the order of the image.
    found.sort(key=lambda candidate: (-candidate[0], candidate[1]))
    kept = []
    for value, place in found:
        if all(math.dist(place, other) >= separation for _, other in kept):
            kept.append((value, place))
    return kept


def froc_case(name, maps, masks, separation=0.0):
    lesions, alarms = [], []
    for index, (image, mask) in enumerate(zip(maps, masks)):
        labels, count = ndimage.label(mask, structure=np.ones((3,) * image.ndim))
        best = [None] * count
        for value, place in candidates(image, separation):
            region = labels[place]
            if region == 0:
                alarms.append(value)
            elif best[region - 1] is None or value > best[region - 1]:
                best[region - 1] = value
        lesions += [{"image": index, "size": int((labels == n + 1).sum()), "confidence": best[n]} for n in range(count)]
    sensitivities = []
    confidences = [lesion["confidence"] for lesion in lesions if lesion["confidence"] is not None]
    for rate in [1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8]:
        reached = 0.0
        for threshold in sorted(set(confidences + alarms), reverse=True):
            if sum(alarm >= threshold for alarm in alarms) / len(maps) <= rate:
                reached = max(reached, sum(value >= threshold for value in confidences) / len(lesions))
        sensitivities.append(reached)
    return {
        "name": name, "separation": separation,
        "images": [
            {
                "extents": list(image.shape[::-1]) + [1] * (3 - image.ndim), "values": image.ravel().tolist(),
                "mask": "".join("01"[int(pixel)] for pixel in mask.ravel()),
            }
            for image, mask in zip(maps, masks)
        ],
        "lesions": lesions, "falsePositives": sorted(alarms), "sensitivities": sensitivities,
        "score": sum(sensitivities) / len(sensitivities),
    }


def froc_cases():
    generator = np.random.default_rng(12)

    def image(shape, boxes, contrast, levels):
        mask = np.zeros(shape, dtype=bool)
        for box in boxes:
            mask[tuple(slice(start, start + size) for start, size in box)] = True
        values = ndimage.gaussian_filter(generator.normal(0, 2, shape) + contrast * mask, 0.8)
        return np.floor(values * levels) / levels, mask

    sizes = [
        ((13, 17), [[(1, 3), (2, 3)], [(7, 4), (9, 5)], [(12, 1), (16, 1)]]), ((12, 9), []), ((9, 12), [[(0, 9), (0, 12)]]),
        ((11, 11), [[(2, 3), (2, 3)], [(5, 4), (5, 4)]]), ((1, 8), [[(0, 1), (1, 2)]]), ((10, 10), []),
    ]
    cases = []
    for name, contrast, levels, separation in [
        ("few ties", 1.5, 4096, 0.0), ("plateaus", 2.0, 1, 0.0), ("kept apart", 1.5, 8, 3.5), ("chance", 0.0, 16, 0.0),
        ("no candidate inside", -6.0, 64, 2.0),
    ]:
        maps, masks = zip(*[image(shape, boxes, contrast, levels) for shape, boxes in sizes])
        cases.append(froc_case(name, maps, masks, separation))
    volumes = [image((5, 6, 7), [[(1, 2), (1, 3), (2, 2)], [(4, 1), (5, 1), (6, 1)]], 3.0, 4), image((4, 4, 4), [], 0.0, 4)]
    cases.append(froc_case("volumes", *zip(*volumes)))
    flat = (np.zeros((4, 4)), np.eye(4) > 0)
    cases.append(froc_case("a constant map has no candidate", [flat[0]], [flat[1]]))
    return cases


def main():
    warnings.simplefilter("ignore")
    welch, wilson = welch_cases()
    golden = {"cases": statistics_cases(), "welch": welch, "wilson": wilson, "bootstrap": bootstrap_case()}
    (OUT / "statistics.json").write_text(json.dumps(golden).replace("}, ", "},\n") + "\n")
    (OUT / "lesions.json").write_text(json.dumps(froc_cases()).replace("}, ", "},\n") + "\n")


if __name__ == "__main__":
    main()
