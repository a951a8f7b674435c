"""The kernel of a notebook that this process is, where it is one."""

import sys
from typing import Any


def kernel_shell() -> Any:
    """Shell of IPython that runs the cells of a notebook; None where there is no kernel."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return shell if getattr(shell, "kernel", None) is not None else None


def kernel_loop() -> Any:
    """Event loop of the thread that runs the cells; None where there is no kernel."""
    shell = kernel_shell()
    return None if shell is None else getattr(shell.kernel, "io_loop", None)
