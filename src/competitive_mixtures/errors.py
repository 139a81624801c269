"""Errors that are the user's to mend: one clear sentence, never a traceback."""


class UserError(ValueError):
    """A mistake in the input, named with its key or file, what was found, what was expected and what to do."""


class TrainingDivergedError(UserError):
    """A training that produced a non-finite or exploding loss; names the component and the step."""
