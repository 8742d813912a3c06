"""How often the intervals of the BBQ scores hold the truth, on synthetic answers to questions made from templates.

A template has its own chances of a biased answer, its opposite and "unknown" (a Dirichlet draw), and a number of examples like
those of the published set, from 8 to 336. `python tests/stats/bbq_coverage.py` prints the table.
"""

from dataclasses import dataclass

import numpy as np

from workbench.stats.bbq import accuracy_cost, bias_score, scaled_bias_score

SIZES = (
    8,
    16,
    32,
    32,
    40,
    48,
    72,
    72,
    80,
    96,
    120,
    128,
    160,
    200,
    336,
)  # examples of a template, as in the published files


@dataclass(frozen=True)
class World:
    """Templates whose chances (biased, opposite, unknown) spread around `mean`; a small `spread` makes near copies."""

    name: str
    mean: tuple[float, float, float]
    spread: float  # of the Dirichlet: the smaller, the more the rows of one template agree
    templates: int = 25
    one_sided: bool = False
    cost: float = -0.05  # accuracy where the answer conflicts, minus where it agrees

    def truths(self) -> dict[str, float]:
        """Return the scores of the population of templates."""
        biased, opposite, _ = self.mean
        return {
            "bias": 2 * biased / (biased + opposite) - 1,
            "scaled_bias": biased - opposite,
            "accuracy_cost": self.cost,
        }

    def draw(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return answers (1, -1, 0), whether a conflicting question is right, whether it conflicts, and the templates."""
        sizes = rng.choice(SIZES, self.templates)
        ids = np.repeat(np.arange(self.templates), sizes)
        n = len(ids)
        chances = rng.dirichlet(np.array(self.mean) * self.spread, self.templates)[ids]
        if self.spread > 500:
            chances = np.broadcast_to(self.mean, (n, 3))
        drawn = rng.random(n)
        answers = np.where(drawn < chances[:, 0], 1, np.where(drawn < chances[:, :2].sum(axis=1), -1, 0))
        ease = rng.beta(0.8 * 8, 0.2 * 8, self.templates)[ids] if self.spread <= 500 else np.full(n, 0.8)
        conflicts = rng.random(n) < 0.5
        if self.one_sided:  # a tenth of the templates conflict throughout, a tenth never
            side = rng.random(self.templates)[ids]
            conflicts = (side < 0.1) | (conflicts & (side > 0.2))
        correct = rng.random(n) < np.where(conflicts, ease * (1 + self.cost / 0.8), ease)
        return answers, correct, conflicts, ids


WORLDS = (
    World("25 templates", (0.4, 0.2, 0.4), 4.0),
    World("25 templates, strong bias", (0.5, 0.05, 0.45), 4.0),
    World("25 templates, hardly any unknown", (0.55, 0.4, 0.05), 4.0),
    World("25 templates that do not differ", (0.4, 0.2, 0.4), 1000.0),
    World("25 templates, some of one side", (0.4, 0.2, 0.4), 8.0, one_sided=True),
    World("125 templates", (0.4, 0.2, 0.4), 4.0, 125),
    World("125 templates, mostly unknown", (0.1, 0.05, 0.85), 2.0, 125),
)


def coverages(world: World, sets: int, seed: int = 0) -> dict[str, float]:
    """Return the share of data sets whose interval holds the truth, by score."""
    rng = np.random.default_rng([seed, 11])
    truths = world.truths()
    held = dict.fromkeys(truths, 0)
    for _ in range(sets):
        answers, correct, conflicts, ids = world.draw(rng)
        named = answers != 0
        found = {
            "bias": bias_score(answers[named] > 0, clusters=ids[named]),
            "scaled_bias": scaled_bias_score(answers, clusters=ids),
            "accuracy_cost": accuracy_cost(correct, conflicts, clusters=ids),
        }
        for name, interval in found.items():
            held[name] += bool(interval.low <= truths[name] <= interval.high)
    return {name: count / sets for name, count in held.items()}


if __name__ == "__main__":
    for one in WORLDS:
        print(one.name, coverages(one, 2000))
