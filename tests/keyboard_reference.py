"""The generator behind the stored severity curve of intent classification: sequential over the corpus, unlike the product's."""

import numpy as np

from workbench.data._corrupt_letters import COUNT, NEAR


def keyboard_reference(texts: list[str], rate: float, seed: int) -> list[str]:
    """Return texts in which a binomial number of letters became neighbours; another subset of texts gives other ones."""
    codes = np.frombuffer("\0".join(texts).encode("utf-32-le"), np.uint32).copy()
    rng = np.random.default_rng(seed)
    letters = np.flatnonzero((codes < 128) & (COUNT[np.minimum(codes, 127)] > 0))
    k = rng.binomial(len(letters), rate)
    hit = rng.choice(letters, k, replace=False, shuffle=False) if k else letters[:0]
    old = codes[hit]
    codes[hit] = NEAR[old, rng.integers(0, 1 << 30, k) % COUNT[old]]
    return codes.astype("<u4").tobytes().decode("utf-32-le").split("\0")
