"""Numbers as people read them: their digits follow the half-width of the interval."""

import math

from workbench.charts.metrics import NULL_BAND

__all__ = ["decimals", "format_count", "format_metric", "format_number", "is_null", "metric_parts"]

SMALL = 0.0005  # what three decimals would show as 0


def is_null(method: str) -> bool:
    """Return whether low and high are a null band, not an interval.

    >>> is_null("null band: 95 % of perfectly calibrated models lie below high; p = 0.2"), is_null("Wilson")
    (True, False)
    """
    return str(method).startswith(NULL_BAND)


def decimals(half_width: float) -> int:
    """Return how many decimals a number deserves: to the first digit of the half-width, one more where that is 1 or 2.

    >>> decimals(0.034), decimals(0.012), decimals(4.0), decimals(float("nan"))
    (2, 3, 0, 3)
    """
    if not math.isfinite(half_width) or half_width <= 0:
        return 3
    return min(6, max(0, math.ceil(math.log10(3) - math.log10(half_width) - 1e-9)))


def format_number(value: float, digits: int = 3) -> str:
    """Return a number with so many decimals, without the sign of a rounded zero; "undefined" where there is none.

    >>> format_number(-0.0001, 2), format_number(float("nan"))
    ('0.00', 'undefined')
    """
    if value is None or not math.isfinite(value):
        return "undefined"
    text = f"{value:,.{digits}f}"
    return text.lstrip("-") if not any(char in "123456789" for char in text) else text


def metric_parts(value: float, low: float, high: float, method: str = "") -> tuple[str, str]:
    """Return a value and its 95 % interval as two texts, for two columns of a table.

    >>> metric_parts(0.7134, 0.679, 0.747)
    ('0.71', '0.68 to 0.75')
    >>> metric_parts(0.00003, float("nan"), float("nan"))
    ('3e-05', 'no interval')
    """
    if value is None or not math.isfinite(value):
        return "undefined", ""
    if not (math.isfinite(low) and math.isfinite(high)):
        small = 0 < abs(value) < SMALL  # a p-value is never 0
        return f"{value:.2g}" if small else format_number(value), "no interval"
    if is_null(method):
        digits = decimals((high - low) / 4)
        below = f"{format_number(low, digits)} to" if low else "up to"
        return format_number(value, digits), f"by chance {below} {format_number(high, digits)}"
    digits = decimals((high - low) / 2)
    return format_number(value, digits), f"{format_number(low, digits)} to {format_number(high, digits)}"


def format_metric(value: float, low: float, high: float, method: str = "") -> str:
    """Return a value with its 95 % interval; with "null band" as method, value and the band's end.

    >>> format_metric(0.7134, 0.679, 0.747), format_metric(0.5, float("nan"), float("nan"))
    ('0.71 [0.68, 0.75]', '0.500, no interval')
    >>> format_metric(0.0612, 0.0, 0.0873, "null band: ...")
    '0.061 (by chance up to 0.087)'
    """
    said, interval = metric_parts(value, low, high, method)
    if " to " in interval and not is_null(method):
        return f"{said} [{interval.replace(' to ', ', ')}]"
    if not interval:
        return said
    return f"{said}, {interval}" if interval == "no interval" else f"{said} ({interval})"


def format_count(n: float) -> str:
    """Return a whole number with separators of thousands.

    >>> format_count(12000)
    '12,000'
    """
    return f"{int(n):,}"
