"""What keeps the program from starting, told in one sentence to whoever started it."""


class StartupError(Exception):
    """Ends the program with its sentence on standard error and `exit_status` (1 to 255), never a traceback."""

    exit_status = 1
