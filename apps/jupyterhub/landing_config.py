"""JupyterHub: who logs in sees the app at once; JupyterLab is still there, at ``/user/NAME/lab``.

As ``launcher_config.py``, and one line more.
"""

c = get_config()  # noqa: F821 # pyright: ignore[reportUndefinedVariable] - JupyterHub's own

c.Spawner.env_keep.extend(["VITPANEL_STUDIES", "VITPANEL_CHECKPOINT", "VITPANEL_LIVE", "VITPANEL_TASKS"])
c.Spawner.default_url = "/vitpanel/"
