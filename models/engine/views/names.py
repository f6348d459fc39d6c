"""The views, their order in every array, their weights and the words for them."""

from typing import Final

#: Order of the views of one feature.
VIEWS: Final = (
    "rare_value",
    "rare_mean",
    "residual",
    "level",
    "spread",
    "time_of_day",
    "rare_median",
    "forest",
)
RARE_VALUE, RARE_MEAN, RESIDUAL, LEVEL, SPREAD, TIME_OF_DAY, RARE_MEDIAN, FOREST = range(len(VIEWS))

#: The view of all signals together; it stands beside the views of single features.
TOGETHER: Final = "together"

#: How much each view counts in the mean. Those that a slow median stands behind count half: they say nearly the same.
WEIGHTS: Final = (1.0, 1.0, 1.0, 0.5, 0.5, 1.0, 0.5, 0.5)

#: What a view means when it is surprised. ``{feature}`` is the feature's name.
WORDS: Final = {
    "rare_value": "{feature} has hardly ever had this value",
    "rare_mean": "the short mean of {feature} has hardly ever been here",
    "residual": "{feature} is far from its own median",
    "level": "the level of {feature} has shifted",
    "spread": "{feature} moves much more or less than usual",
    "time_of_day": "{feature} is unlike any other day at this hour",
    "rare_median": "the median of {feature} has hardly ever been here",
    "forest": "the isolation forest finds the median of {feature} isolated",
    "together": "the signals together have left their reference",
}
