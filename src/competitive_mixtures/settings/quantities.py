"""The numbers that settings are made of, each with its range and unit.

The upper limits are far above what anybody trains: they tell a slip of the pen before a full memory does.
"""

from typing import Annotated

from pydantic import Field

from competitive_mixtures.data.spec import measured_in

Number = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, measured_in("of N/k points", ge=0, le=1)]
Decay = Annotated[float, Field(ge=0, lt=1)]  # of a running mean
Nats = Annotated[float, measured_in("nats", gt=0, allow_inf_nan=False)]

MAX_LAYERS = 100  # hidden ones of a network
MAX_STEPS = 100_000_000  # the losses of so many take 400 MB a network

Components = Annotated[int, measured_in("components", ge=1, le=10_000)]
Units = Annotated[int, measured_in("units", ge=1, le=100_000)]
Channels = Annotated[int, measured_in("channels", ge=1, le=10_000)]
Layers = Annotated[int, measured_in("layers", ge=0, le=MAX_LAYERS)]
Dimensions = Annotated[int, measured_in("dimensions", ge=1, le=100_000)]

Points = Annotated[int, measured_in("points", ge=1, le=10_000_000)]
Samples = Annotated[int, measured_in("samples", ge=1, le=10_000_000)]
Steps = Annotated[int, measured_in("steps", ge=1, le=MAX_STEPS)]
Rounds = Annotated[int, measured_in("rounds", ge=1, le=100_000)]

# Of folders, parts of file names and keys of DVC: without dots, and far below the 255 bytes of a file's name.
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=100)]
