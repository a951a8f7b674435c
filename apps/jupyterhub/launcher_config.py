"""JupyterHub: a tile in the launcher of every user, with an app of their own behind it.

Users need the packages of ``vitpanel[hub,compute]`` where their servers run; all else here is by choice.
"""

c = get_config()  # noqa: F821 # pyright: ignore[reportUndefinedVariable] - JupyterHub's own

# Which studies and weights, whether with the model (no), and a sheet of tasks: as the hub's own environment says.
c.Spawner.env_keep.extend(["VITPANEL_STUDIES", "VITPANEL_CHECKPOINT", "VITPANEL_LIVE", "VITPANEL_TASKS"])
