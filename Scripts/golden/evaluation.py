"""Golden figures for the room Evaluation, computed by scikit-learn, SciPy and NumPy.

Run from the repository root:  python Scripts/golden/evaluation.py
Writes figures.json, pixels.json and scores.csv to Tests/EvaluationTests/Golden. Needs numpy, scipy and scikit-learn; last
written with 1.9.1.

Large cases are not stored: the tests draw the same cases from the same generator (SplitMix64), so that only figures and
a few points of each curve are kept.
"""

import csv
import json
import math
import random
import warnings
from pathlib import Path

import numpy as np
from scipy import ndimage
from sklearn import metrics

OUT = Path("Tests/EvaluationTests/Golden")


class SplitMix64:
    """Steele, Lea and Flood 2014; uniform numbers in [0, 1) from the upper 53 bits."""

    def __init__(self, seed):
        self.state = seed

    def uniform(self):
        mask = (1 << 64) - 1
        self.state = (self.state + 0x9E3779B97F4A7C15) & mask
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        return ((z ^ (z >> 31)) >> 11) * 2.0**-53


def drawn(seed, count, prevalence, shift, levels):
    """Scores u + shift · label, rounded down to `levels` steps per unit where levels > 0."""
    generator = SplitMix64(seed)
    scores, labels = [], []
    for _ in range(count):
        label = generator.uniform() < prevalence
        score = generator.uniform() + (shift if label else 0.0)
        scores.append(math.floor(score * levels) / levels if levels else score)
        labels.append(int(label))
    return scores, labels


def operating_point(scores, labels, threshold):
    called = (scores >= threshold).astype(int)
    tn, fp, fn, tp = metrics.confusion_matrix(labels, called, labels=[0, 1]).ravel().tolist()
    return {
        "threshold": finite(threshold), "tp": tp, "fp": fp, "tn": tn, "fn": fn,
        "accuracy": metrics.accuracy_score(labels, called),
        "f1": metrics.f1_score(labels, called),
        "sensitivity": metrics.recall_score(labels, called),
        "specificity": metrics.recall_score(labels, called, pos_label=0),
        "precision": metrics.precision_score(labels, called),
    }


def finite(value):
    return float(value) if math.isfinite(value) else None


def figures(scores, labels, fixed, stride=1):
    scores, labels = np.array(scores, dtype=float), np.array(labels)
    both = len(set(labels.tolist())) == 2
    any_abnormal = labels.any()
    result = {"fixed": operating_point(scores, labels, fixed), "fixedThreshold": fixed, "stride": stride}
    if any_abnormal:
        precision, recall, thresholds = metrics.precision_recall_curve(labels, scores)
        result["averagePrecision"] = metrics.average_precision_score(labels, scores)
        result["prPoints"] = len(precision)
        result["precision"] = precision[::stride].tolist()
        result["recall"] = recall[::stride].tolist()
        result["prThresholds"] = [finite(t) for t in np.append(thresholds, np.inf)[::stride]]
    if both:
        fpr, tpr, thresholds = metrics.roc_curve(labels, scores, drop_intermediate=False)
        result["auroc"] = metrics.roc_auc_score(labels, scores)
        result["rocPoints"] = len(fpr)
        result["fpr"] = fpr[::stride].tolist()
        result["tpr"] = tpr[::stride].tolist()
        result["rocThresholds"] = [finite(t) for t in thresholds[::stride]]
        # Rates are multiplied out, so that equal accuracies compare equal.
        positives, negatives = labels.sum(), (1 - labels).sum()
        right = np.rint(tpr * positives + (1 - fpr) * negatives)
        result["bestAccuracy"] = operating_point(scores, labels, thresholds[np.argmax(right)])
        tp, fp = np.rint(tpr * positives), np.rint(fpr * negatives)
        f1 = 2 * tp[1:] / (tp[1:] + fp[1:] + positives)
        result["bestF1"] = operating_point(scores, labels, thresholds[1:][np.argmax(f1)])
    return result


def touching_regions(mask):
    """The connected regions of a mask as one Boolean image each; pixels touch along edges and at corners."""
    labels, count = ndimage.label(mask, structure=np.ones((3, 3)))
    return [labels == number for number in range(1, count + 1)]


def aupro(maps, masks, limit):
    """Bergmann et al. 2021, word by word: at every threshold the overlap with each region, and the false positive rate."""
    regions = [(image, region) for image, mask in enumerate(masks) for region in touching_regions(mask)]
    normal = np.concatenate([image[~mask] for image, mask in zip(maps, masks)])
    points = [(0.0, 0.0)]
    for threshold in sorted(set(np.concatenate([image.ravel() for image in maps]).tolist()), reverse=True):
        overlaps = [(maps[image][region] >= threshold).mean() for image, region in regions]
        points.append(((normal >= threshold).mean(), np.mean(overlaps)))
    area = 0.0
    for (x0, y0), (x1, y1) in zip(points, points[1:]):
        if x0 >= limit:
            break
        if x1 > limit:
            x1, y1 = limit, y0 + (y1 - y0) * (limit - x0) / (x1 - x0)
        area += (x1 - x0) * (y0 + y1) / 2
    return area / limit, len(regions)


def best_dice(scores, labels):
    return max(metrics.f1_score(labels, scores >= threshold) for threshold in np.unique(scores))


def pixel_case(name, maps, masks, limit=0.3):
    scores = np.concatenate([image.ravel() for image in maps])
    labels = np.concatenate([mask.ravel() for mask in masks])
    area, regions = aupro(maps, masks, limit)
    return {
        "name": name,
        "images": [
            {
                "width": image.shape[1], "height": image.shape[0], "values": image.ravel().tolist(),
                "mask": "".join("01"[int(pixel)] for pixel in mask.ravel()),
            }
            for image, mask in zip(maps, masks)
        ],
        "auroc": metrics.roc_auc_score(labels, scores), "averagePrecision": metrics.average_precision_score(labels, scores),
        "aupro": area, "regions": regions, "dice": best_dice(scores, labels),
    }


def pixel_cases():
    generator = np.random.default_rng(11)

    def image(height, width, boxes, contrast, levels):
        """Noise with brighter boxes (row, column, height, width), in steps of 1 / levels, and the mask of the boxes."""
        mask = np.zeros((height, width), dtype=bool)
        for row, column, rows, columns in boxes:
            mask[row : row + rows, column : column + columns] = True
        values = generator.normal(0, 1, (height, width)) + contrast * mask
        return np.floor(values * levels) / levels, mask

    sizes = [
        (9, 14, [(0, 0, 2, 3), (4, 5, 4, 6), (8, 13, 1, 1)]),
        (12, 7, []),
        (11, 11, [(2, 2, 3, 3), (5, 5, 4, 4), (2, 8, 1, 2)]),  # the first two touch at a corner
        (1, 6, [(0, 1, 1, 1), (0, 4, 1, 2)]),
    ]
    cases = []
    for name, contrast, levels in [
        ("few ties", 1.2, 4096), ("heavy ties", 1.0, 2), ("no better than chance", 0.0, 64), ("worse than chance", -1.5, 8),
        ("easily found", 3.0, 16),
    ]:
        maps, masks = zip(*[image(height, width, boxes, contrast, levels) for height, width, boxes in sizes])
        cases.append(pixel_case(name, maps, masks))
    constant = [np.zeros((4, 5)), np.zeros((3, 3))]
    spots = [np.zeros((4, 5), dtype=bool), np.zeros((3, 3), dtype=bool)]
    spots[0][1, 1] = spots[0][3, 3] = spots[1][0, 0] = True
    cases.append(pixel_case("constant maps", constant, spots))
    cases.append(pixel_case("perfect maps", [spot.astype(float) for spot in spots], spots))
    # One map without a normal pixel, one without an abnormal one.
    whole, none = np.ones((3, 4), dtype=bool), np.zeros((5, 4), dtype=bool)
    noise = [np.floor(generator.normal(0.5 * mask, 1) * 4) / 4 for mask in (whole, none)]
    cases.append(pixel_case("masks that are whole and empty", noise, [whole, none]))
    return cases


def main():
    warnings.simplefilter("ignore")
    OUT.mkdir(parents=True, exist_ok=True)
    rng = random.Random(20)
    small = {
        "hand-made": ([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1], 0.5),
        "two cases, right": ([0.0, 1.0], [0, 1], 0.5),
        "two cases, wrong": ([1.0, 0.0], [0, 1], 0.5),
        "two cases, tied": ([0.5, 0.5], [0, 1], 0.5),
        "constant scores": ([3.0] * 9, [0, 1, 0, 0, 1, 0, 0, 0, 1], 4.0),
        "perfect": ([-2.0, -1.5, -1.0, 7.0, 8.0], [0, 0, 0, 1, 1], 0.0),
        "reversed": ([5.0, 4.0, 3.0, 2.0, 1.0, 0.0], [0, 0, 0, 1, 1, 1], 2.5),
        "F1 tied between two thresholds": ([4.0, 3.0, 2.0, 1.0], [1, 0, 0, 1], 2.5),
        "heavy ties": ([rng.randrange(4) / 4 for _ in range(60)], [rng.randrange(2) for _ in range(60)], 0.5),
        "one abnormal of fifty": ([rng.gauss(0, 1) for _ in range(50)], [1] + [0] * 49, 1.0),
        "one normal of fifty": ([rng.gauss(0, 1) for _ in range(50)], [0] + [1] * 49, 1.0),
        "nothing called abnormal is best": ([0.9, 0.8, 0.1, 0.2, 0.3], [0, 0, 1, 0, 0], 0.95),
        "normal only": ([0.2, 0.7, 0.4], [0, 0, 0], 0.5),
        "abnormal only": ([0.2, 0.7, 0.4, 0.4], [1, 1, 1, 1], 0.5),
        "large numbers": ([1e300, -1e300, 1e-300, 0.0, -0.0], [1, 0, 1, 0, 1], 0.0),
    }
    cases = [
        {"name": name, "scores": scores, "labels": labels, **figures(scores, labels, fixed)}
        for name, (scores, labels, fixed) in small.items()
    ]
    for name, seed, count, prevalence, shift, levels in [
        ("10,000 random", 1, 10_000, 0.3, 0.0, 0),
        ("10,000 separable in part", 2, 10_000, 0.5, 0.4, 0),
        ("10,000 with heavy ties", 3, 10_000, 0.5, 0.3, 12),
        ("60,000 imbalanced, like pixels", 4, 60_000, 0.003, 0.5, 1024),
    ]:
        scores, labels = drawn(seed, count, prevalence, shift, levels)
        recipe = {"seed": seed, "count": count, "prevalence": prevalence, "shift": shift, "levels": levels}
        cases.append({"name": name, "drawn": recipe, **figures(scores, labels, 0.75, stride=1 if levels == 12 else 499)})
    trials = [[0.912], [0.9, 0.92], [0.871, 0.902, 0.885, 0.8999, 0.911], [0.5, 0.5, 0.5]]
    statistics = [
        {"values": t, "mean": float(np.mean(t)), "sd": float(np.std(t, ddof=1)) if len(t) > 1 else None} for t in trials
    ]
    (OUT / "figures.json").write_text(json.dumps({"cases": cases, "statistics": statistics}, indent=0) + "\n")
    (OUT / "pixels.json").write_text(json.dumps(pixel_cases()).replace("}, ", "},\n") + "\n")
    with open(OUT / "scores.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["score", "name", "note", "label"])
        writer.writerow([0.25, "plain.png", "", 0])
        writer.writerow([1 / 3, "comma, and \"quotes\".png", "x", 1])
        writer.writerow([-1e-17, "line\nbreak.png", "y,z", 1])
        writer.writerow([12345.678, "Röntgen.png", "", 0])


if __name__ == "__main__":
    main()
